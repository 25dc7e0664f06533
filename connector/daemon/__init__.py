"""`connector run`: keeps all stores in step, day and night. Knows when; what is done is `connector.sync`'s."""
