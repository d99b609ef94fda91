"""`apply(kernel, event)` updates the state for one event, and returns the objects that the event acted on.

What the trace has not shown is unknown: a descriptor first seen in use is *assumed*, and its flags and registrations
are None until a call shows them.
"""

from __future__ import annotations

from itertools import islice

from tracediag.kernel.action import Action
from tracediag.kernel.adopting import adopted
from tracediag.kernel.handlers import BEGINNERS, HANDLERS
from tracediag.kernel.kernel import Kernel
from tracediag.kernel.numbers import release_all
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.signals import ORDERS
from tracediag.trace.calls import FUTEXES, KILLS, LINKS, MKDIRS, OPENS, RENAMES, SYMLINKS
from tracediag.trace.errnos import RESTARTS
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Elision, Exit, Notice, NotUnderstood, Other, Remark, Signal, Superseded

_TRIED_AGAIN = OPENS | MKDIRS | LINKS | SYMLINKS | RENAMES | {"bind", "connect"}
"""Calls that a program makes again once it has removed the reason of a failure."""
_LATEST = 8
"""Failures among which the one that is made good is looked for."""


def known_calls() -> frozenset[str]:
    """Return the names of the calls that change the state: the reader need not parse any others for it."""
    return (frozenset(HANDLERS) | frozenset(BEGINNERS)) - FUTEXES


def begun_calls() -> frozenset[str]:
    """Return the names of the calls that change the state when they begin."""
    return frozenset(BEGINNERS) - FUTEXES


def apply(kernel: Kernel, event: Event) -> Action:
    """Update the state for an event; return the objects that it acted on."""
    kernel.last_event = event
    if kernel.deferred is not None and not isinstance(event, (Other, NotUnderstood)):
        kernel.deferred()
        kernel.deferred = None
    thread = kernel.process_table.last
    if thread is None or thread.tid != event.pid:
        thread = kernel.process_table.thread(event)
    action = Action(event, kernel, thread)
    # Nine events in ten are calls, so test for them first and apply them inline.
    if isinstance(event, Syscall):
        table = thread.process.table
        if not table.seen:
            table.appear()
        name = event.name
        try:
            handler = kernel.handlers[name]
        except KeyError:
            handler = kernel.handlers[name] = None if name in kernel.left_out else HANDLERS.get(name)
        if handler is not None:
            handler(action, event)
        if thread.rounds:
            for turn in thread.rounds.values():
                turn.calls += 1
        if event.errno is None:
            if event.returned:
                kernel.succeeded = True
                if thread.process.failures and name in _TRIED_AGAIN:
                    _make_good(thread.process, event)
        elif event.errno not in RESTARTS:
            thread.process.failures.append(event)
            kernel.failed = True
        if thread.inside is not None:
            thread.inside = thread.inside_descriptor = None
        thread.last_call = event
    elif isinstance(event, Begun):
        _begin(action, event)
    else:
        _record(action, event)
    return action


def thread_of(kernel: Kernel, call: Syscall) -> Thread:
    """Return the thread of a call that changes nothing in the state; less work than `apply`, and in its place."""
    kernel.last_event = call
    if kernel.deferred is not None:
        kernel.deferred()
        kernel.deferred = None
    thread = kernel.process_table.last
    if thread is None or thread.tid != call.pid:
        thread = kernel.process_table.thread(call)
    if thread.inside is not None:
        thread.inside = thread.inside_descriptor = None
    thread.last_call = call
    return thread


def _make_good(process: Process, event: Syscall) -> None:
    """Forget the failure of a call that now succeeds: with the same arguments, or for a file that was missing."""
    failures, body = process.failures, event.body
    path = _first_path(body)
    if path:
        # Nearly always another file had failed: one search of one text tells.
        last, text = process.failed_texts
        if last is not failures[-1]:
            text = "\n".join([failed.body for failed in islice(reversed(failures), _LATEST)])
            process.failed_texts = failures[-1], text
        if path not in text:
            return
    for back, failed in enumerate(islice(reversed(failures), _LATEST), 1):
        if failed.name != event.name:
            continue
        missing = failed.errno == "ENOENT" and path in failed.body and _first_path(failed.body) == path
        if failed.body == body or (path and missing):
            del failures[-back]
            return


def _first_path(body: str) -> str:
    """Return the first string among some arguments, with its quotes; "" where there is none."""
    start = body.find('"')
    end = body.find('"', start + 1)
    return body[start : end + 1] if start >= 0 else ""


def _record(action: Action, event: Event) -> None:
    match event:
        case Signal():
            action.thread.earlier_signal = action.thread.last_signal
            action.thread.last_signal = event
            if action.process.inner is None and action.kernel.sent:
                _recognise(action, event)
            if event.name in ORDERS:
                _order(action, event)
            elif event.name == "SIGCHLD":
                _adopt(action, event)
        case Exit():
            action.kernel.dated = event.time
            _exit(action, event)
        case Superseded():
            action.kernel.process_table.supersede(action.thread, event.by)
        case Remark(signal=None):
            said = action.kernel.process_table.staying.alone()
            if said is not None:
                said.messages.append(event)
        case Remark():
            action.kernel.hear(event)
        case Elision():
            action.kernel.elided = event.line
            action.kernel.deferred = action.kernel.process_table.forget_rounds
        case Notice(kind="attached", subject=int(tid)):
            action.kernel.process_table.strangers.announce(event, early=not action.kernel.names)
            action.kernel.process_table.expect(tid, action.thread)


def _order(action: Action, signal: Signal) -> None:
    process, last = action.process, action.thread.last_call
    if process.order is None:
        process.ordered_in = action.thread.inside or (last if last is not None and last.interrupted else None)
    process.order = signal


def _adopt(action: Action, signal: Signal) -> None:
    """Take a process that has exited for the child of the one that is told so: only a parent is, signal(7)."""
    pid, process = signal.sender, action.process
    if pid is None or pid in process.children or "CLD_" not in signal.info:
        return
    child = adopted(action.kernel, pid, process)
    if child is not None:
        process.children[pid] = child


def _recognise(action: Action, signal: Signal) -> None:
    """Learn the pid of a process from a signal that it sent itself, as abort(3) and raise(3) do."""
    sender = signal.sender
    sent = sender is not None and action.kernel.sent[-1]
    if sent and sent[0] is action.process and sent[1].name in KILLS and sent[1].number(0) == sender:
        action.process.inner = sender


def _begin(action: Action, call: Begun) -> None:
    action.thread.inside = call
    handler = BEGINNERS.get(call.name)
    if handler is not None:
        handler(action, call)


def _exit(action: Action, event: Exit) -> None:
    action.kernel.process_table.drop_oldest_dead()
    process = action.kernel.process_table.leave(action.thread, event)
    if process is not None:
        action.kernel.deferred = process.forget
        process.table.users.pop(process, None)
        if not process.table.users:
            release_all(action, process.table)
