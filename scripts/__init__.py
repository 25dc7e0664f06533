"""Small programs that check the project; run as `python -m scripts.NAME`."""
