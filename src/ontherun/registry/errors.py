"""What can go wrong in the registry, in words for the person who asked.

Every text says what was wrong and, where there is one, what would be right. No text holds a secret.
"""

from pathlib import Path

from ontherun.keys import utc_text


class RegistryError(Exception):
    """Any of the errors below."""


class NotFoundError(RegistryError):
    """There is no such thing, or not for this principal: the two are answered alike. `what` names it."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"There is no {what}.")


class ForbiddenError(RegistryError):
    """The principal sees the thing but may not do this with it. `entity_id`: where a right is missing, if it is one."""

    def __init__(self, text: str, entity_id: int | None = None) -> None:
        self.entity_id = entity_id
        super().__init__(text)


class SecondFactorRequiredError(ForbiddenError):
    """A person must prove a second factor for this action."""

    def __init__(self) -> None:
        super().__init__("This takes a fresh second factor: an authenticator's code, a passkey or a recovery code.")


class ConflictError(RegistryError):
    """The request is right in itself, but not in the present state of things."""


class InvalidError(RegistryError):
    """A value cannot be right in any state of things. `where` names the field, `expected` what would be right."""

    def __init__(self, where: str, what: str, expected: str) -> None:
        self.where, self.what, self.expected = where, what, expected
        super().__init__(f"{where}: {what} Expected: {expected}")


class UnavailableError(RegistryError):
    """The database could not be read or written. Nothing was changed and nothing was handed out."""


class TooManyError(RegistryError):
    """Somebody does something too often. `wait` is how many seconds it takes until they may go on."""

    def __init__(self, count: int, window: float, wait: float) -> None:
        self.wait = max(1, round(wait + 0.5))
        super().__init__(f"At most {count} of these within {window:.0f} s. Try again in {self.wait} s.")


class DataDirectoryInUseError(RegistryError):
    """Another process has this data directory open."""

    def __init__(self, data_dir: Path, process: str) -> None:
        super().__init__(
            f"{data_dir} is in use by another ontherun{f' (process {process})' if process else ''}. "
            "Stop that one first, or give this one a data directory of its own."
        )


class MasterKeyError(RegistryError):
    """The master key is missing, unreadable or not the one that the secrets were sealed with."""


class SchemaError(RegistryError):
    """The database was written by a later version of ontherun, or is no registry at all."""


class AuditDamagedError(RegistryError):
    """The audit chain does not hold. `sequence` is the first entry that is missing or altered."""

    def __init__(self, sequence: int, what: str) -> None:
        self.sequence = sequence
        super().__init__(f"Audit entry {sequence}: {what}")


class TooManyAttemptsError(RegistryError):
    """Too many attempts failed; the text says when the next one is possible."""


class SecondFactorsSpentError(ConflictError):
    """A user has proved as many second factors as a day allows. `next_day_at` is when the next day begins."""

    def __init__(self, limit: int, next_day_at: int) -> None:
        self.next_day_at = next_day_at
        super().__init__(
            f"All {limit} second factors of this day, in Central time, are used. The next day begins at "
            f"{utc_text(next_day_at)}."
        )


class NotRecognisedError(RegistryError):
    """What somebody showed at the door (password, code, link, passkey) is not right. It never says which part."""
