"""Everybody is cut off at once and comes back at once: everybody is let in, nobody is taken for a second connection."""

import asyncio
from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase

import pytest
from benchmarks.frames import Identity
from benchmarks.storm import Peer, storm
from tests.support.gateway_host import SECRET, GatewayHost


@pytest.mark.parametrize("sessions", [200, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_storm_of_reconnects_lets_everybody_back_in(tmp_path: Path, sessions: int) -> None:
    names = ["".join(letters) for letters in islice(product(ascii_uppercase, repeat=3), sessions)]
    with GatewayHost(tmp_path) as host:
        who = [Identity(name.encode(), b"DEMO1", b"EXAMPLEKEYID00000001", SECRET) for name in names]
        asyncio.run(storm([Peer(host.address, identity) for identity in who]))
        host.until(lambda: not host.gateway.connections)
        streams = [host.gateway.engine.lanes[name].stream for name in names]
        assert not any(stream.port_closed or stream.failures or stream.primary_bound for stream in streams)
