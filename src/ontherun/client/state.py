"""What must outlive the client's process so that it can go on under the same UUID.

The file is small JSON with a check sum, replaced as a whole (written beside it, then renamed), so a restart after a
crash finds the old content or the new one, never a part. A new UUID is forced to the disk before it is used; the
numbers are not, each time: a machine that lost its power may find older ones, which the venue refuses (Terminate 10),
and a new UUID begins. The file holds no secret.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zlib import crc32

from ontherun.client.errors import StateError
from ontherun.ilink.client_inbound import ClientMemory, Missed


class StateFile:
    """The numbers of one session on one market segment: each segment has its own, so each needs its own file."""

    def __init__(self, path: str | os.PathLike[str], session_id: str) -> None:
        self.path = Path(path)
        self._session_id = session_id
        self._beside = self.path.with_name(self.path.name + ".new")
        self._written = ""
        self._forced = (0, 0)

    def read(self) -> ClientMemory | None:
        """What was stored, or None when there is nothing yet.

        Raises StateError when it cannot be read, is damaged, or is another session's.
        """
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            check = values.pop("check")
            memory = _memory(values)
            owner = values["session_id"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StateError(f"{self.path} holds no session state: {error!r}") from error
        if check != _check(values):
            raise StateError(
                f"{self.path} was changed or damaged: its check sum is wrong. Bring it back from a copy, or remove it "
                "to begin with a new UUID"
            )
        if owner != self._session_id:
            raise StateError(f"{self.path} belongs to session {owner}, not {self._session_id}")
        return memory

    def write(self, memory: ClientMemory) -> None:
        """Store it; does nothing when the file holds it already. Raises OSError."""
        values = {"session_id": self._session_id, **asdict(memory)}
        text = json.dumps(values | {"check": _check(values)})
        if text == self._written:
            return
        uuids = memory.uuid, memory.negotiated_uuid
        with self._beside.open("w", encoding="utf-8") as file:
            file.write(text)
            if uuids != self._forced:
                file.flush()
                os.fsync(file.fileno())
        self._beside.replace(self.path)
        self._written, self._forced = text, uuids


def _check(values: dict[str, Any]) -> int:
    return crc32(json.dumps(values, sort_keys=True).encode())


def _memory(values: dict[str, Any]) -> ClientMemory:
    return ClientMemory(
        uuid=_number(values["uuid"]),
        negotiated_uuid=_number(values["negotiated_uuid"]),
        next_outbound=_number(values["next_outbound"]),
        next_inbound=_number(values["next_inbound"]),
        request_timestamp=_number(values["request_timestamp"]),
        unheard=[_number(uuid) for uuid in values["unheard"]],
        missed=[Missed(*(_number(part[name]) for name in Missed.__slots__)) for part in values["missed"]],
        bad_logins=[_number(at) for at in values["bad_logins"]],
    )


def _number(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number")
    return value
