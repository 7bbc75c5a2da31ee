"""The demo: one entity, two firms, a session with a key pair for each. What a newcomer trades with at once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ontherun.registry.principal import SYSTEM
from ontherun.registry.sealing import write_private

if TYPE_CHECKING:
    from ontherun.registry.registry import Registry

ENTITY = "Demo Trading Group"
FIRMS = {"DEMO1": "Demo Firm One", "DEMO2": "Demo Firm Two"}
PARTY_DETAILS_LIST_REQ_ID = 1001


@dataclass(frozen=True, slots=True)
class DemoSession:
    """A session that is ready for use. `key_file` is the JSON form of the key pair, for its owner's eyes only."""

    session_id: str
    firm: str
    access_key_id: str
    expires_at: int
    party_details_list_req_id: int
    key_file: Path


async def seed_demo(registry: "Registry", key_dir: Path) -> list[DemoSession]:
    """Create what is missing of the demo, and return its sessions, one for each firm.

    A second start finds everything there and changes nothing; a firm that was withdrawn stays so. When a session has no
    valid key pair left it gets a new one, and a key file that is missing, or holds a pair that is no longer valid, is
    written again.
    """
    directory = registry.directory
    if any(not directory.gfid_taken(gfid) for gfid in FIRMS):
        entity = next((entity for entity in directory.entities() if entity.name == ENTITY), None)
        if entity is None:
            entity = await registry.entities.create(SYSTEM, ENTITY)
        for gfid, name in FIRMS.items():
            if not directory.gfid_taken(gfid):
                await registry.firms.create(SYSTEM, entity.entity_id, gfid, name)
    return [await _ready_session(registry, gfid, key_dir) for gfid in FIRMS if directory.firm(gfid) is not None]


async def _ready_session(registry: "Registry", gfid: str, key_dir: Path) -> DemoSession:
    directory = registry.directory
    session = next((session for session in registry.sessions.list(SYSTEM) if session.firms[0] == gfid), None)
    if session is None:
        session = await registry.sessions.create(SYSTEM, [gfid], registry.market_segments, label="Demo")
    session_id = session.session_id
    if PARTY_DETAILS_LIST_REQ_ID not in directory.party_details(session_id, gfid):
        await registry.party_details.register(SYSTEM, session_id, gfid, PARTY_DETAILS_LIST_REQ_ID)
    valid = directory.valid_pairs_of(session_id, registry.clock.now())
    if not valid:
        valid = [await registry.pairs.generate(SYSTEM, session_id)]
    key_file = key_dir / f"{session_id}.json"
    held = _access_key_id_in(key_file)
    pair = next((stored.pair for stored in valid if stored.pair.access_key_id == held), None)
    if pair is None:
        pair = max((stored.pair for stored in valid), key=lambda pair: pair.expires_at)
        content = (await registry.pairs.download(SYSTEM, session_id, pair.access_key_id, "json")).as_json()
        _replace_key_file(key_file, content)
    return DemoSession(session_id, gfid, pair.access_key_id, pair.expires_at, PARTY_DETAILS_LIST_REQ_ID, key_file)


def _replace_key_file(key_file: Path, content: str) -> None:
    key_file.parent.mkdir(mode=0o700, exist_ok=True)
    key_file.unlink(missing_ok=True)
    write_private(key_file, content)


def _access_key_id_in(key_file: Path) -> str | None:
    try:
        return str(json.loads(key_file.read_text(encoding="utf-8"))["access_key_id"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
