"""What a session tells about its own recoveries, to whoever asked by the option `on_recovery`."""

from dataclasses import dataclass

from ontherun.client.errors import ClientError
from ontherun.ilink.client_events import MessagesLost, MessagesRecovered, MessagesRequested


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Orders can be sent. `new_uuid`: numbers begin at 1; `new_week`: and the venue forgot every earlier UUID."""

    uuid: int
    new_uuid: bool
    new_week: bool
    access_key_id: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection that traded is gone; the session comes back, unless its options say otherwise."""

    why: ClientError


@dataclass(frozen=True, slots=True)
class LoginPostponed:
    """The next login is tried in `seconds`. `why`: what refused the last one, or None when four bad logins within 60 s
    leave no other choice: a fifth would close the session's ports."""

    seconds: float
    why: ClientError | None


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """The venue did not accept this key pair; the session goes on with the other one."""

    access_key_id: str
    instead: str


@dataclass(frozen=True, slots=True)
class RequestsNotApplied:
    """The venue never got these requests of ours; `resent` of them were sent again, the others raise NotApplied."""

    from_seq_no: int
    count: int
    resent: int


@dataclass(frozen=True, slots=True)
class BackupReady:
    """The connection to the designated backup is established."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class BackupLost:
    """The connection to the designated backup is gone, or was refused."""

    why: ClientError


@dataclass(frozen=True, slots=True)
class Promoted:
    """The backup became the primary: orders go there from now on."""

    host: str
    port: int


RecoveryEvent = (
    LoggedIn
    | ConnectionLost
    | LoginPostponed
    | KeyRefused
    | MessagesRequested
    | MessagesRecovered
    | MessagesLost
    | RequestsNotApplied
    | BackupReady
    | BackupLost
    | Promoted
)
"""MessagesRequested, MessagesRecovered and MessagesLost tell of the venue's reports: a gap and its end."""
