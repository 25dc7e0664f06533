"""The sandbox: GoSweetSpot's customerorders endpoint for everybody who has no account. Knows nothing of our client.

It is written against the API page and against what is known of the real service around it, so that client and
sandbox can disagree. It listens on loopback only, forwards nothing, and its operator (a page, and HTTP under /operator)
does what people at GoSweetSpot do: print labels, take them back, delete and edit orders; and breaks calls on demand.

    connector/sandbox/server.py    create_app, serve, running: the ways to start it
    connector/sandbox/faults.py    everything it can break, each with its description
"""
