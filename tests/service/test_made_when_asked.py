"""A venue that only trades does without its portal: nobody waits for what nobody asked for."""

import asyncio
import subprocess
import sys

from ontherun.service.web import MadeWhenAsked


async def test_the_first_request_makes_the_application_and_all_that_came_meanwhile_get_it():
    made, answered = [], []

    def make():
        made.append(1)

        async def app(scope, receive, send):
            answered.append(scope)

        return app

    app = MadeWhenAsked(make)
    assert not made
    await asyncio.gather(*(app({"type": "http", "n": n}, None, None) for n in range(3)))
    await app({"type": "http", "n": 3}, None, None)
    assert len(made) == 1
    assert sorted(scope["n"] for scope in answered) == [0, 1, 2, 3]


def test_a_venue_is_ready_without_the_pages_and_routes():
    code = "import ontherun.service.venue, sys; sys.exit('ontherun.portal.app' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
