"""What stands around an explained call: the name that it looks up, its child, other calls as moments of the answer."""

from __future__ import annotations

import posixpath

from tracediag.kernel import Action
from tracediag.overviews.descriptors import line_of, time_of
from tracediag.results.explanation import Moment
from tracediag.trace.calls import CHILD_WAITS, EXECS, LOOKS, OPENS
from tracediag.trace.events import Event, Syscall
from tracediag.trace.values import text_of

_NAMING = LOOKS | OPENS | EXECS


def child_events(call: Syscall, action: Action) -> list[tuple[Event, str]]:
    """Return the birth and the end of the child that a wait reaped."""
    if call.name not in CHILD_WAITS or call.failed or not action.process.reaped:
        return []
    last = action.process.reaped[-1]
    child = last.child if last.call is call else None
    events = [] if child is None else [(child.started, "creates the child"), (child.exit, "the child ends")]
    return [(event, note) for event, note in events if event is not None]


def name_of(call: Syscall) -> str | None:
    """Return the last part of the path that a call looks up."""
    if call.name not in _NAMING:
        return None
    path = text_of(call.arg("path"))
    return posixpath.basename(str(path).rstrip("/")) or None if path is not None else None


def moment(event: Event, note: str) -> Moment:
    """Return an event as one of the moments around a call."""
    return Moment(line=line_of(event), pid=event.pid, time=time_of(event), text=getattr(event, "text", ""), note=note)
