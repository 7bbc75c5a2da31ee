"""What happened on each connection and at each login, kept for the session's owner: bounded, and over restarts."""

from ontherun.trace.entry import Level, TraceEntry, TraceKind
from ontherun.trace.store import TraceError, TracePolicy, TraceQuery, TraceStore

__all__ = ["Level", "TraceEntry", "TraceError", "TraceKind", "TracePolicy", "TraceQuery", "TraceStore"]
