"""Signals and ends of threads as the subject of a query: in the place of a call, of which they have nothing."""

from __future__ import annotations

from tracediag.kernel import Action
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Signal

Kinds = frozenset[type[Event]]
"""Kinds of events that a condition is about: calls, signals, ends."""
CALLS: Kinds = frozenset({Syscall})
SIGNALS: Kinds = frozenset({Signal})
ENDS: Kinds = frozenset({Exit})
SAID: dict[type[Event], str] = {Syscall: "calls", Signal: "signals", Exit: "ends of threads"}
"""How a message names the events of a kind."""


class StandIn(Syscall, kw_only=True, gc=False):
    """A signal or an end: a call without a name, arguments and result, so that no comparison with these is true."""

    record: Signal | Exit
    last: Syscall | None = None
    """The last call of the thread before it."""
    delivered: Signal | None = None
    """The last signal of the thread before it."""

    @property
    def text(self) -> str:
        """The record as it stands in the trace."""
        return self.record.text


def subject_call(event: Event, action: Action | None = None) -> Syscall | None:
    """Return what a query is asked about at an event: the call, or what stands in for it; None for other events.

    With its action, as it happens, a stand-in also knows what its thread did before.
    """
    if isinstance(event, Syscall):
        return event
    if not isinstance(event, Signal | Exit):
        return None
    thread = None if action is None else action.thread
    delivered = None if thread is None else thread.last_signal
    if thread is not None and delivered is event:
        delivered = thread.earlier_signal
    return StandIn(
        line=event.line,
        end_line=event.line,
        pid=event.pid,
        time=event.time,
        stack=event.stack,
        name="",
        body="",
        parser=_nothing,
        returned=False,
        record=event,
        last=None if thread is None else thread.last_call,
        delivered=delivered,
    )


def kind_of(call: Syscall) -> type[Event]:
    """Return the kind of event that a call is, or stands in for."""
    return type(call.record) if isinstance(call, StandIn) else Syscall


def _nothing(_text: str) -> tuple[()]:
    return ()
