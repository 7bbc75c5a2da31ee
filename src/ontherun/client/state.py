"""What must outlive the client's process so that it can go on under the same UUID: two numbers and two stamps.

The file is small JSON, replaced as a whole (written beside it, then renamed), so a restart after a crash finds the
old content or the new one, never a part. It holds no secret.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ontherun.client.errors import StateError


@dataclass(frozen=True, slots=True)
class SessionState:
    """Where a session stands on one market segment: each segment has its own numbers, so each needs its own file.

    - `session_id`: whose numbers these are;
    - `uuid`: the current one; `next_seq_no`: of our next business message; `next_expected`: of the venue's next one;
    - `request_timestamp`: the last one used, ns: the next must be greater.
    """

    session_id: str
    uuid: int
    next_seq_no: int
    next_expected: int
    request_timestamp: int


class StateFile:
    """One SessionState in one file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._beside = self.path.with_name(self.path.name + ".new")
        self._written: SessionState | None = None

    def read(self, session_id: str) -> SessionState | None:
        """The stored state, or None when there is none yet.

        Raises StateError when it cannot be read or is another session's.
        """
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            state = SessionState(**values)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise StateError(f"{self.path} holds no session state: {error}") from error
        numbers = (state.uuid, state.next_seq_no, state.next_expected, state.request_timestamp)
        if not all(isinstance(number, int) for number in numbers):
            raise StateError(f"{self.path} holds no session state: {numbers} are not all numbers")
        if state.session_id != session_id:
            raise StateError(f"{self.path} belongs to session {state.session_id}, not {session_id}")
        self._written = state
        return state

    def write(self, state: SessionState) -> None:
        """Store the state; does nothing when the file holds it already. Raises OSError."""
        if state == self._written:
            return
        self._beside.write_text(json.dumps(asdict(state)), encoding="utf-8")
        self._beside.replace(self.path)
        self._written = state
