"""What can go wrong for a user of the SDK. Every error is a ClientError; those with a report carry it."""

from typing import TYPE_CHECKING

from ontherun.client.advice import Advice, LoginCode, advice_for, code_text

if TYPE_CHECKING:
    from ontherun.client.reports import (
        BusinessRejected,
        CancelRejected,
        MassCancelled,
        Rejected,
        ReplaceRejected,
        Report,
    )


class ClientError(Exception):
    """Base of every error of the SDK."""


class KeyFileError(ClientError, ValueError):
    """A key file that cannot be used; the text names the file and the field, never a secret."""


class VenueError(ClientError):
    """No running venue was found, or what it wrote about itself cannot be used."""


class UnknownSecurity(ClientError, LookupError):  # noqa: N818 - names a condition
    """A symbol that the session's instrument table does not hold."""


class StateError(ClientError):
    """A state file that cannot be read, or that belongs to another session."""


class LoginRefused(ClientError):  # noqa: N818 - names a condition
    """The venue refused a login: by NegotiationReject (502), EstablishmentReject (505) or Terminate (507).

    - `answer`: "NegotiationReject", "EstablishmentReject" or "Terminate"; `ended`: whether it is Terminate;
    - `code`: its ErrorCodes value, as the enum's member when the standard knows it; `name`: the standard's name for it;
      `reason`: the venue's own text, mostly empty;
    - `meaning` and `causes`: what it means and what typically leads to it.
    """

    def __init__(self, answer: str, code: LoginCode, reason: str) -> None:
        advice: Advice = advice_for(answer, code)
        self.answer = answer
        self.ended = answer == "Terminate"
        self.code = code
        self.name = code_text(code)
        self.reason = reason
        self.meaning = advice.meaning
        self.causes = advice.causes
        said = f", which says {reason!r}" if reason else ""
        super().__init__(f"login refused by {answer} {int(code)} ({self.name}){said}: {self.meaning}")


class Disconnected(ClientError):  # noqa: N818 - names a condition
    """There is no established connection, or it ended before the answer came.

    A request that was under way may or may not have reached the venue: its fate is known after the next login, when
    the missed reports arrive or the venue says NotApplied.
    """


class Unreachable(Disconnected):
    """No connection could be made to the address."""


class Terminated(Disconnected):
    """The venue ended the established session by Terminate (507); its attributes are as in LoginRefused."""

    def __init__(self, code: LoginCode, reason: str) -> None:
        self.code = code
        self.name = code_text(code)
        self.reason = reason
        self.meaning = advice_for("Terminate", code).meaning
        said = f", which says {reason!r}" if reason else ""
        super().__init__(f"the venue ended the session by Terminate {int(code)} ({self.name}){said}: {self.meaning}")


class NotApplied(ClientError):  # noqa: N818 - named as the standard's message
    """The venue never received this request (NotApplied, template 513), and it was not sent again.

    `seq_num` is its number.
    """

    def __init__(self, seq_num: int) -> None:
        self.seq_num = seq_num
        super().__init__(f"the request with number {seq_num} was not applied: the venue never received it")


class ReportsLost(ClientError):  # noqa: N818 - names a condition
    """`count` reports are missing: nobody read them for too long, or the venue could not send them again."""

    def __init__(self, count: int, why: str) -> None:
        self.count = count
        super().__init__(f"{count} reports are lost: {why}")


class Refused(ClientError):  # noqa: N818 - names a condition
    """A request that the venue refused; `report` is its answer, `code` the number and `reason` the venue's text."""

    def __init__(
        self, what: str, report: "Rejected | CancelRejected | ReplaceRejected | BusinessRejected | MassCancelled"
    ) -> None:
        self.report = report
        self.code = int(report.reason or 0)
        self.reason = getattr(report, "text", "")
        super().__init__(f"{what} refused: {report.why}")


class OrderRefused(Refused):
    """The order was refused: ExecutionReportReject (523) or BusinessReject (521)."""


class CancelRefused(Refused):
    """The cancel was refused: OrderCancelReject (535) or BusinessReject (521)."""


class ReplaceRefused(Refused):
    """The replace was refused: OrderCancelReplaceReject (536) or BusinessReject (521)."""


class InquiryRefused(Refused):
    """A mass cancel or a question about orders was refused: OrderMassActionReport (562) or BusinessReject (521)."""


class OrderEnded(ClientError):  # noqa: N818 - names a condition
    """The order ended in another way than the one waited for; `report` is the one that ended it."""

    def __init__(self, what: str, report: "Report") -> None:
        self.report = report
        super().__init__(what)
