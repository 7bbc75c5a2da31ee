"""SessionOptions: how a session behaves."""

import os
from collections.abc import Callable
from typing import Final, TypedDict

from ontherun.client.binding import LinkOptions, Resend
from ontherun.client.reconnect import Reconnect
from ontherun.client.recovery import RecoveryEvent
from ontherun.client.wire import Clock, Observer

BACKLOG: Final = 100_000
"""Reports kept for a reader of `reports()` who is late."""


class SessionOptions(TypedDict, total=False):
    """How a session behaves.

    - `uuid`: negotiate this one; by default the stored one is continued, or microseconds since the epoch are taken;
    - `state`: a file that keeps UUID and numbers, so that a restarted program goes on where it ended and fetches what
      it missed; one file for each session and market segment;
    - `catch_up`: without a stored state, fetch all that the venue said under the UUID before, too;
    - `reconnect`: how to come back after a loss; None: a loss ends the session;
    - `standby`: keep a connection to the login's designated backup, and trade there when it becomes the primary;
    - `resend`: send requests again that the venue never got: True, or which. Otherwise they raise NotApplied;
    - `on_recovery`: called with each event of `ontherun.client.recovery`, in the session's event loop or thread;
    - `backlog`: how many reports are kept for a late reader of `Session.reports`;
    - `observe`: called with (sent, frame) for every frame; `clock`: ns since the epoch.
    """

    uuid: int | None
    state: str | os.PathLike[str] | None
    catch_up: bool
    reconnect: Reconnect | None
    standby: bool
    resend: bool | Resend
    on_recovery: Callable[[RecoveryEvent], None] | None
    backlog: int
    observe: Observer | None
    clock: Clock


def link_options(options: SessionOptions, clock: Clock) -> LinkOptions:
    """The options that concern the connection."""
    resend = options.get("resend", False)
    return LinkOptions(
        clock=clock,
        uuid=options.get("uuid"),
        catch_up=options.get("catch_up", False),
        reconnect=options.get("reconnect", Reconnect()),
        standby=options.get("standby", True),
        resend=(lambda _: True) if resend is True else resend or None,
        on_recovery=options.get("on_recovery"),
        observe=options.get("observe"),
    )
