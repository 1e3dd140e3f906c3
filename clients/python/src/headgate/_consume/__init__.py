"""Consuming a subscription: what is in hand, how it is settled, and over which line.

`hand` is the protocol without socket and clock; `stream` and `poll` are the two lines it can use;
`consumer` is the shell around them.
"""
