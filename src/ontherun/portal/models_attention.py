"""What needs attention, as the API shows it."""

from ontherun.portal.models import Strict
from ontherun.registry import NeedKind


class NeedView(Strict):
    """One thing to act on. `at`: when it happens or happened; null: it just is."""

    kind: NeedKind
    entity_id: int | None
    subject: str
    about: str
    at: str | None
