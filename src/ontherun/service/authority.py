"""Who may log in: the registry's directory, in the words in which the gateway asks."""

from collections.abc import Callable

from ontherun.ilink.authority import AuthorityUnavailable, KeyFound, KeyRefused
from ontherun.ilink.trace import LoginTrace, Verdict
from ontherun.registry import Directory, MasterKeyError
from ontherun.registry import KeyFound as RegistryKey

NoteUse = Callable[[str, int, str, str, bool], object]
"""Notes a login with an Access Key ID: when (ns), from which address, at which gateway, and whether it was accepted."""


class RegistryAuthority:
    """Answers the gateways from the registry's memory, without waiting."""

    __slots__ = (
        "_directory",
        "_note_use",
        "allowed",
        "cancel_on_disconnect",
        "key_is_valid",
        "party_details",
        "session",
        "source_allowed",
    )

    def __init__(self, directory: Directory, note_use: NoteUse) -> None:
        self.ask(directory, note_use)

    def ask(self, directory: Directory, note_use: NoteUse) -> None:
        """Answer from this directory from here on."""
        self._directory = directory
        self._note_use = note_use
        self.allowed = directory.allowed
        self.cancel_on_disconnect = directory.cancel_on_disconnect
        self.key_is_valid = directory.key_is_valid
        self.source_allowed = directory.source_allowed
        self.session = directory.order_entry_session
        self.party_details = directory.party_details

    def key(self, access_key_id: str, session: str, now: int) -> KeyFound | KeyRefused:
        """The key pair of a login, opened for this one answer. AuthorityUnavailable when the master key does not
        open it."""
        try:
            found = self._directory.key(access_key_id, session, now)
        except MasterKeyError as error:
            raise AuthorityUnavailable(str(error)) from error
        if isinstance(found, RegistryKey):
            return KeyFound(found.secret, found.expires_at)
        return KeyRefused(found.state)

    def key_used(self, trace: LoginTrace, source: str) -> None:
        """A login named a key pair: its owner wants to know when, from where and how it ended."""
        gateway = f"segment {trace.segment} {trace.role.name.lower()}"
        self._note_use(trace.access_key_id, trace.at, source, gateway, trace.verdict is Verdict.ACCEPTED)
