"""Whether a venue is ready: can clients log in and trade, and what is acknowledged be kept."""

import os
from typing import TYPE_CHECKING

from ontherun.registry import UnavailableError

if TYPE_CHECKING:
    from ontherun.service.venue import Venue

LEAST_SPACE = 16 * 1024 * 1024
"""Bytes that must be free where the journals are: some seconds of the heaviest load."""


async def unready(venue: "Venue") -> list[str]:
    """Why clients cannot log in and trade now, in sentences; empty when they can."""
    reasons: list[str] = []
    if venue.draining:
        reasons.append("the venue is going down")
    for segment in venue.segments.values():
        name = f"market segment {segment.segment_id}"
        if segment.gateway.failed:
            reasons.append(f"the journal of {name} cannot be written")
        if not segment.gateway.listening:
            reasons.append(f"no gateway listens for {name}")
    disk = os.statvfs(venue.settings.data)
    if (free := disk.f_bavail * disk.f_frsize) < LEAST_SPACE:
        reasons.append(f"{free} bytes are free in {venue.settings.data}; {LEAST_SPACE} are needed")
    try:
        await venue.registry.check_writable()
    except UnavailableError as error:
        reasons.append(str(error))
    return reasons
