"""The gateways: where a socket, a session state machine, the registry, the journal and a market segment meet.

`engine` and `reports` are deterministic (journal entries in, frames out); `connection` and `gateway` own the sockets
and the clock.
"""
