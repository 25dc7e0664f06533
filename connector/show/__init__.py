"""How values are shown to people: tables and colour on a terminal, plain lines in a pipe. Does no work."""
