"""How the process of a call ended, for the names of a query that begin with `end.`: known only where a page waits."""

from __future__ import annotations

from tracediag.evidence.aftermath import Aftermath
from tracediag.evidence.complaints import report_step
from tracediag.evidence.exits import end_step
from tracediag.query.subject import Subject
from tracediag.results.findings import Step
from tracediag.trace.events import Event
from tracediag.trace.records import Exit, Message, Signal


def failed(subject: Subject) -> bool | None:
    """Whether the process ended badly: with a failure status, or killed by a signal."""
    return None if subject.end is None else subject.end.process.ended_badly


def lines(subject: Subject) -> int | None:
    """Return the number of lines from the call to the end of its process."""
    end = left(subject)
    return None if end is None else end.line - subject.call.line


def status(subject: Subject) -> int | None:
    """Return the exit status."""
    end = left(subject)
    return None if end is None else end.status


def signal(subject: Subject) -> tuple[str, ...] | None:
    """Return the signal that killed the process."""
    end = left(subject)
    return None if end is None or end.signal is None else (end.signal,)


def last(subject: Subject) -> bool | None:
    """Whether the call is the last one of the thread that exited last."""
    thread = None if subject.end is None else subject.end.thread
    return None if thread is None else thread.last_call is subject.call


def silent(subject: Subject) -> bool | None:
    """Whether the thread makes no call after the call or signal."""
    action = subject.action
    if subject.end is None or action is None:
        return None
    later = action.thread.pending or action.thread.last_call
    return later is None or later.line <= subject.call.line


def fault(subject: Subject) -> tuple[str, ...] | None:
    """Return what the trace shows of the last signal delivered after the call."""
    found = delivered(subject)
    return None if found is None else (found.info,)


def delivered(subject: Subject) -> Signal | None:
    """Return the last signal that the thread was sent after the call."""
    thread = None if subject.end is None else subject.end.thread
    found = None if thread is None else thread.last_signal
    return found if found is not None and found.line > subject.call.line else None


def raised(subject: Subject) -> Signal | None:
    """Return the first signal of the thread after the call, of the two that it remembers."""
    thread = None if subject.end is None or subject.action is None else subject.action.thread
    known = () if thread is None else (thread.earlier_signal, thread.last_signal)
    return next((signal for signal in known if signal is not None and signal.line > subject.call.line), None)


def returned(subject: Subject) -> Event | None:
    """Return the last return of a handler in the thread after the signal."""
    handled = None if subject.end is None or subject.action is None else subject.action.thread.handled
    return handled if handled is not None and handled.line > subject.call.line else None


def left(subject: Subject) -> Exit | None:
    """Return the exit of the process."""
    return None if subject.end is None else subject.end.exit


def reported(subject: Subject) -> Event | None:
    """Return the message that names the error of the call, or else the first one after it."""
    found = _report(subject)
    return None if found is None else found[0]


def named(subject: Subject) -> bool | None:
    """Whether a message after the call names its error."""
    if subject.end is None:
        return None
    return Aftermath(subject.end.process, subject.call).reported is not None


def how(subject: Subject) -> tuple[str, ...] | None:
    """Return how the process ended, in words."""
    end = left(subject)
    return None if end is None else (end_step(end).note,)


def said(subject: Subject) -> tuple[str, ...] | None:
    """Return what the message shows, in words."""
    found = _report(subject)
    return None if found is None else (found[1].note,)


def _report(subject: Subject) -> tuple[Message, Step] | None:
    if subject.end is None:
        return None
    complaint = Aftermath(subject.end.process, subject.call).complaint
    named = complaint.names_error(subject.call.errno or "")
    found = named or complaint.first
    return None if found is None else (found, report_step(found, named=named is not None))
