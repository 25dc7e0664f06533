"""Housekeeping: what is forgotten in time, backups and what follows a restore, people's questions about their data."""
