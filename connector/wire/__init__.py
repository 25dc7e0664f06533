"""How a call leaves this house and what is heard of it. Knows neither GoSweetSpot nor any shop."""
