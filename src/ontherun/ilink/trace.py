"""LoginTrace: the exact reason of a login's end, for the session's owner; the wire says far less."""

from dataclasses import dataclass
from enum import Enum

from ontherun.ilink.records import Role


class Verdict(Enum):
    """How a login attempt ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"  # NegotiationReject or EstablishmentReject; `code` is theirs
    TERMINATED = "terminated"  # Terminate; `code` is its own
    IGNORED = "ignored"  # the connection ended before an answer


@dataclass(slots=True)
class LoginTrace:
    """One Negotiate or Establish and what became of it. Holds no secret, and no signature, neither sent nor expected.

    - `message`: "Negotiate" or "Establish"; `at`: when it was judged, ns since the epoch;
    - `session`, `firm`, `access_key_id`, `uuid`, `request_timestamp`: as received, empty or 0 when it did not decode;
    - `clock_skew`: our clock minus `request_timestamp`, ns; positive when the client's is behind;
    - `canonical_text`: what we signed to compare, empty when the signature was not looked at;
    - `key_state`: "valid", or why the Access Key ID was refused; empty when it was not looked at;
    - `verdict`, `code`, `code_name`: what the wire said;
    - `reason`: the exact reason, in a sentence; `diagnosis`: the known mistake that makes this signature, if one does.
    """

    message: str
    at: int
    segment: int
    role: Role
    session: str = ""
    firm: str = ""
    access_key_id: str = ""
    uuid: int = 0
    request_timestamp: int = 0
    clock_skew: int = 0
    canonical_text: str = ""
    key_state: str = ""
    verdict: Verdict = Verdict.IGNORED
    code: int = 0
    code_name: str = ""
    reason: str = ""
    diagnosis: str = ""
