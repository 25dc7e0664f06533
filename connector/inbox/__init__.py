"""Signed deliveries of shops, on disk before they are answered. Knows no shop's API, no ledger's tables and no GSS."""
