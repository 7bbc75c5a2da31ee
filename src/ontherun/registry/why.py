"""Why somebody does something: said along with a request, kept in each audit entry that the request makes."""

from contextvars import ContextVar

WHY: ContextVar[str] = ContextVar("why", default="")
"""The reason that came with the request that is being served; "" without one."""
