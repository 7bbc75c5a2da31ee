"""Who may log in: the registry's directory, in the words in which the gateway asks."""

from ontherun.ilink.authority import AuthorityUnavailable, KeyFound, KeyRefused
from ontherun.registry import Directory, MasterKeyError
from ontherun.registry import KeyFound as RegistryKey


class RegistryAuthority:
    """Answers the gateways from the registry's memory, without waiting."""

    __slots__ = ("_directory", "allowed", "party_details", "session", "source_allowed")

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.allowed = directory.allowed
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
