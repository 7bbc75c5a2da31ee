"""Random input for everything that reads what a peer sent: a case is a seed, and a seed is a case for ever.

`python -m tests.fuzz --seconds 3600` runs cases until the time is over; a case that breaks a rule is named with the
command that runs it alone.
"""
