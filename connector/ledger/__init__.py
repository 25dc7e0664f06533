"""What was told to GSS and what is owed: slips, their versions, the attempts to send them. Knows no HTTP and no
shop."""
