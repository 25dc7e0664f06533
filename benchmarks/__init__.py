"""How fast, beside the script a good developer writes in an hour. Nothing in here is installed."""
