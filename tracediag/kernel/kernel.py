"""The reconstructed kernel: the only thing in tracediag that changes.

`Kernel.apply(event)` changes the state and returns what the event acted on. What the trace has not shown is unknown:
a descriptor first met in the middle of its life is *assumed*, its flags and registrations are None until something
tells them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from tracediag.events import Begun, Elision, Event, Exit, Notice, Other, Signal, Superseded, Syscall
from tracediag.kernel.action import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.ends import Ends
from tracediag.kernel.memory import Cut
from tracediag.kernel.people import People
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.rights import Rights
from tracediag.kernel.table import DescriptorTable

Handler = Callable[[Action, Syscall], None]
"""Applies one whole call to the state."""

BeginHandler = Callable[[Action, Begun], None]
"""Applies the first half of a call, where the kernel acts before the call returns."""

_HANDLERS: dict[str, Handler] = {}
_BEGINNERS: dict[str, BeginHandler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Mark a function as the one that applies these calls."""

    def mark(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return mark


def begins(*names: str) -> Callable[[BeginHandler], BeginHandler]:
    """Mark a function as the one that applies the first half of these calls."""

    def mark(handler: BeginHandler) -> BeginHandler:
        _BEGINNERS.update(dict.fromkeys(names, handler))
        return handler

    return mark


class Kernel:
    """Processes, descriptors, sockets, epoll sets, pipes and signals, as far as the trace has shown them."""

    def __init__(self) -> None:
        self.people = People()
        self.last_event: Event | None = None
        self.sent: deque[tuple[Process, Syscall]] = deque(maxlen=64)
        """The last signals that traced processes sent to a pid, with the sender: kill(2)."""
        self.ends = Ends()
        """The ends of connections and pipes whose other end is not known yet."""
        self.rights = Rights()
        """The descriptors under way from one process to another."""
        self.cuts: deque[Cut] = deque(maxlen=256)
        """The last changes of a file's length, whoever made them."""
        self.elided = 0
        """The last line behind which whoever posted the trace left something out; 0 for none."""
        self.followed: dict[int | None, set[str]] = {}
        """The threads, by pid, whose every event some rule wants to see for a while: see `follow`."""
        self.succeeded = False
        """Whether the trace shows any call that did not fail: `strace -Z` records failures only."""
        self._later: Callable[[], None] | None = None
        """What the last event has put an end to is forgotten with the next one: rules look at it once more."""

    @staticmethod
    def calls() -> frozenset[str]:
        """Return the names of the calls that change the state: no others need be read for it."""
        return frozenset(_HANDLERS) | frozenset(_BEGINNERS)

    @staticmethod
    def begun() -> frozenset[str]:
        """Return the names of the calls that change the state as soon as they begin."""
        return frozenset(_BEGINNERS)

    @property
    def processes(self) -> list[Process]:
        """The processes that the trace shows, ended ones among them, in order of appearance."""
        return self.people.processes

    def closed(self, file: OpenFile) -> Event | None:
        """Return what closed a description for good; None where a child that strace does not follow may hold it."""
        event = file.closed
        strays = (process.table for process in self.processes if not process.table.seen) if event is not None else ()
        return None if any(table.holds(file) for table in strays) else event

    def follow(self, thread: Thread, rule: str) -> None:
        """Let a rule, by its name, see every event of a thread from now on."""
        self.followed.setdefault(thread.tid, set()).add(rule)

    def leave(self, thread: Thread, rule: str) -> None:
        """End what `follow` began."""
        rules = self.followed.get(thread.tid)
        if rules is not None:
            rules.discard(rule)
            if not rules:
                del self.followed[thread.tid]

    def apply(self, event: Event) -> Action:
        """Change the state as the event says; return what it acted on."""
        self.last_event = event
        if self._later is not None and not isinstance(event, Other):
            self._later()
            self._later = None
        thread = self.people.last
        if thread is None or thread.tid != event.pid:
            thread = self.people.thread(event)
        action = Action(event, self, thread)
        # Nine events in ten are calls: they are asked for first, and applied on the spot.
        if isinstance(event, Syscall):
            table = thread.process.table
            if not table.seen:
                table.appear()
            handler = _HANDLERS.get(event.name)
            if handler is not None:
                handler(action, event)
            if thread.rounds:
                for turn in thread.rounds.values():
                    turn.calls += 1
            if event.errno is None:
                self.succeeded = True
            elif not event.errno.startswith("ERESTART"):
                thread.process.failures.append(event)
            if thread.inside is not None:
                thread.inside = thread.inside_descriptor = None
            thread.last_call = event
        elif isinstance(event, Begun):
            self._begin(action, event)
        else:
            self._record(action, event)
        return action

    def _record(self, action: Action, event: Event) -> None:
        match event:
            case Signal():
                action.thread.earlier_signal = action.thread.last_signal
                action.thread.last_signal = event
            case Exit():
                self._exit(action, event)
            case Superseded():
                self.people.supersede(action.thread, event.by)
            case Elision():
                self.elided = event.line
                self._later = self.people.forget_rounds
            case Notice(kind="attached", subject=int(tid)):
                self.people.expect(tid, action.thread)

    def _begin(self, action: Action, call: Begun) -> None:
        action.thread.inside = call
        handler = _BEGINNERS.get(call.name)
        if handler is not None:
            handler(action, call)

    def _exit(self, action: Action, event: Exit) -> None:
        self.people.bury()
        process = self.people.leave(action.thread, event)
        if process is not None:
            self._later = process.forget
            process.table.users -= 1
            if process.table.users <= 0:
                release_all(action, process.table)


def release_all(action: Action, table: DescriptorTable) -> None:
    """Release every descriptor of a table, as the end of its last process does."""
    table.drop_unused(action.event, only_cloexec=False)
    held = tuple(table)
    for descriptor in held:
        _end(action, descriptor)
    action.released = held


def release(action: Action, descriptor: Descriptor) -> None:
    """Release one descriptor; with the last reference to the description its epoll registrations go too."""
    _end(action, descriptor)
    action.released = (*action.released, descriptor) if action.released else (descriptor,)


def _end(action: Action, descriptor: Descriptor) -> None:
    if not descriptor.table.release(descriptor, action.event):
        return
    file = descriptor.file
    file.released = action.event
    if file.registrations and file.sent is None:
        for entry in list(file.registrations):
            entry.epoll.remove(entry, action.event)


def install(action: Action, number: int, file: OpenFile, *, cloexec: bool | None) -> Descriptor:
    """Make a new incarnation for the calling process, by the call in hand."""
    table = action.thread.process.table
    descriptor = Descriptor(number, file, table, action.call, cloexec)
    lost = table.install(descriptor)
    if lost is not None:
        # A close in another thread that has begun and not been reported yet, or one outside the trace.
        release(action, lost)
    action.opened = (*action.opened, descriptor) if action.opened else (descriptor,)
    return descriptor


def look_up(action: Action, number: int | None) -> Descriptor | None:
    """Return the live incarnation of a number in the caller's table; one not seen before is assumed.

    None for a number that cannot be open: negative, missing, or one on which the call fails with EBADF.
    """
    if number is None or number < 0:
        return None
    table = action.process.table
    found = table.get(number)
    if found is not None:
        return found
    event = action.event
    if isinstance(event, Syscall) and event.errno == "EBADF":
        return None
    assumed = Descriptor(number, OpenFile(), table)
    table.install(assumed)
    return assumed
