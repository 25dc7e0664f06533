"""A source for the connector: shops on Notice Board, a platform that doesn't exist."""
