"""An online shop's orders become freight orders at GoSweetSpot (GSS), once each, right, and fast."""

__version__ = "0.1.0"
