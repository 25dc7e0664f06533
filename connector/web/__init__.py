"""What is served over HTTP: the receiver of deliveries, health, readiness and metrics. Knows no order and no slip."""
