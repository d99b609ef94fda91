"""Processes and their threads: clone(2), execve(2), exit_group(2)."""

from __future__ import annotations

from collections import deque
from itertools import islice, takewhile
from typing import Any

import msgspec

from tracediag.kernel.address_space import AddressSpace
from tracediag.kernel.credentials import Groups, Ids, Limit, Seccomp, Terminal
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.epoll import EpollSet, Round
from tracediag.kernel.file_systems import FileSystems
from tracediag.kernel.place import Place
from tracediag.kernel.signals import SignalTable
from tracediag.kernel.spoken import Spoken
from tracediag.kernel.table import DescriptorTable
from tracediag.kernel.watched import Watched
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit, Message, Signal

_KEPT = 16
_FAILURES_KEPT = 256
"""Between a failure and its message the C library looks for message catalogues, and Python for source lines; after the
message about one library the linker looks in all directories for others."""


_LOOKS_KEPT = 32
_REFUSALS_KEPT = 64


class Reaped(msgspec.Struct, frozen=True):
    """A child that was reaped."""

    pid: int
    child: Process | None
    """None if strace did not follow it."""
    status: int | None
    signal: str | None
    call: Syscall


class Refusal(msgspec.Struct, frozen=True):
    """A reply with an error, and what had failed since the request."""

    reply: Syscall
    """The first write of the reply."""
    failed: tuple[Syscall, ...]
    """The failed calls between the request and the reply, the latest first; bounded."""


class Process(Watched, eq=False):
    """One thread group: what its threads share."""

    pid: int | None
    """The pid of its lines; None if the trace shows none."""
    table: DescriptorTable
    signals: SignalTable
    inner: int | None = None
    """The pid by which it, or its parent, knows it: another than `pid` in a pid namespace of its own."""
    guessed: bool = False
    """Whether it may have the number of a sibling that came at the same time: then `inner` is None."""
    parent: Process | None = None
    program: str | None = None
    """The path of the last successful execve."""
    former: str | None = None
    """The program before that execve: the process's own, or the parent's."""
    executed: Syscall | None = None
    """The last successful execve."""
    execs: int = 0
    started: Event | None = None
    """The clone or fork that created it; None if it existed before the trace began."""
    threads: dict[Thread, None] = msgspec.field(default_factory=dict)
    """The live threads, in order of appearance."""
    exit: Exit | None = None
    exit_status: int | None = None
    """The status given to exit_group, known before the exit itself is reported."""
    leaving: Syscall | None = None
    """The exit_group that gave `exit_status`."""
    place: Place = msgspec.field(default_factory=Place)
    """Its working directory and root; of a thread, `Thread.place`."""
    order: Signal | None = None
    """The last order to stop that any of its threads received: `ORDERS`."""
    ordered_in: Syscall | Begun | None = None
    """The call that the first order to stop interrupted."""
    children: dict[int, Process] = msgspec.field(default_factory=dict)
    """Its children by the pid that the process knows, until they are reaped."""
    reaped: deque[Reaped] = msgspec.field(default_factory=lambda: deque(maxlen=_KEPT))
    """The last children that it reaped."""
    failures: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_FAILURES_KEPT))
    """Its last failed calls since the program started, the latest last; restarted calls do not count."""
    failed_texts: tuple[Syscall | None, str] = (None, "")
    """The arguments of the latest of these, and the last one when they were put together."""
    refusals: tuple[Refusal, ...] = ()
    """Its last replies with an error, each with what failed between the request and the reply; bounded."""
    messages: deque[Message] = msgspec.field(default_factory=Spoken)
    """Its last writes to fd 2 or to a dup of it, and its words between the records, the latest last."""
    found_empty: tuple[OpenFile, ...] = ()
    """The last files, or what may be files, of which its first read returned 0 bytes, the latest last; bounded."""
    contents: tuple[OpenFile, ...] = ()
    """The last files outside of the system's folders of which it has read data, the latest last; bounded."""
    no_format: Syscall | None = None
    """The execve that failed with ENOEXEC before a shell was executed in its place, to read the file as a script."""
    looks: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_LOOKS_KEPT))
    """Its last calls of stat that succeeded, the latest last."""
    limits: dict[str, Limit] = msgspec.field(default_factory=dict)
    """The resource limits that it has read or set, by name: getrlimit(2)."""
    group: int | None = None
    """Its process group, once shown, its own or inherited; the same applies to the next fields."""
    session: int | None = None
    terminal: Terminal = msgspec.field(default_factory=Terminal)
    uids: Ids = Ids()
    user_since: int = 0
    """The line of the last call that changed its user."""
    gids: Ids = Ids()
    groups: Groups = Groups()
    """Its supplementary groups."""
    seccomp: Seccomp | None = None
    """Its own, or inherited from the parent; execve keeps it."""
    signal_stack: Syscall | None = None
    """The sigaltstack that set its alternate signal stack; in a thread of its own each sets its own."""
    space: AddressSpace = msgspec.field(default_factory=AddressSpace)
    """Its address space."""
    file_systems: FileSystems | None = None
    """What is known of the types of file systems: the same for all processes of a trace."""
    same_as: Process | None = None
    """The process that its threads turned out to be of; what had met it before may still refer to it."""

    @property
    def current(self) -> Process:
        """The process itself, or the one that its threads turned out to be of."""
        return self if self.same_as is None else self.same_as.current

    def find_empty(self, file: OpenFile) -> None:
        """Note a file of which the first read has returned 0 bytes."""
        self.found_empty = (*self.found_empty[1 - _KEPT :], file)

    def find_content(self, file: OpenFile) -> None:
        """Note a file of which the first read has returned data."""
        self.contents = (*self.contents[1 - _KEPT :], file)

    def note_refusal(self, reply: Syscall, asked: int) -> None:
        """Note a reply with an error to a request that was read at a line, if a call has failed since."""
        failed = tuple(takewhile(lambda call: call.line > asked, islice(reversed(self.failures), _KEPT)))
        if failed:
            self.refusals = (*self.refusals[1 - _REFUSALS_KEPT :], Refusal(reply, failed))

    def is_called(self, number: int | None) -> bool:
        """Whether a number names it: that of its lines, or that of its pid namespace."""
        return number is not None and number in (self.pid, self.inner)

    @property
    def status(self) -> int | None:
        """Its exit status, known from exit_group on; None while it runs, and if a signal killed it."""
        return self.exit_status if self.exit is None else self.exit.status

    @property
    def end(self) -> Exit | Syscall | None:
        """What ended it: its exit, or its exit_group if the trace stops before the exit is reported; or None."""
        return self.exit or self.leaving

    @property
    def ended_badly(self) -> bool:
        """Whether it exited with a status other than 0, or was killed by a signal.

        Any signal counts, also one that orders a process to stop (SIGTERM, SIGINT, SIGHUP, SIGQUIT): the kernel reports
        an order and a fault in the same way. `evidence.exits.failed_end` leaves the orders out.
        """
        return bool(self.status) or (self.exit is not None and self.exit.signal is not None)

    def user_at(self, line: int) -> int | None:
        """Return its effective user at a line; None if the trace does not show it, or a later call changed it."""
        return self.uids.effective if line >= self.user_since else None

    def limit_at(self, resource: str, line: int) -> Limit | None:
        """Return a resource limit that a call before a line has shown."""
        limit = self.limits.get(resource)
        return limit if limit is not None and limit.call.line <= line else None

    @property
    def strictly_confined(self) -> bool:
        """Whether seccomp strict mode is in force: any call but read, write and exit ends the process with SIGKILL."""
        return self.seccomp is not None and self.seccomp.strict

    def forget(self) -> None:
        """Free what no rule can need after the process has ended: a trace may hold thousands of processes.

        A damaged trace may show later events of the process, so the replacements remain usable.
        """
        self.end_watch()
        if not self.table.users:
            # Each of them refers to the table: without this, only the garbage collector could free them.
            self.table.last_closed.clear()
            self.table = DescriptorTable()
        self.signals, self.space, self.terminal = SignalTable(), AddressSpace(), Terminal()
        self.children, self.limits = {}, {}
        self.reaped = self.failures = self.messages = _NONE
        self.place, self.order, self.ordered_in, self.found_empty = Place(), None, None, ()
        self.contents, self.failed_texts, self.refusals = (), (None, ""), ()
        if self.started is not None:  # the report shows the command of a root process
            self.executed = None


_NONE: deque[Any] = deque(maxlen=0)
"""Shared empty deque for ended processes, to save memory."""


class Thread(Watched, eq=False):
    """One thread: what strace prints a pid for."""

    tid: int | None
    process: Process
    inner: int | None = None
    """The number by which it, or its parent, knows it, once shown; another than `tid` in a pid namespace of its own."""
    appeared: int = 0
    """The line of its first call or signal."""
    inside: Begun | None = None
    """The call that has begun and not yet returned."""
    inside_descriptor: Any = None
    """The descriptor that the begun close or dup2 acts on, as it was when the call began."""
    rounds: dict[EpollSet | None, Round] = msgspec.field(default_factory=dict)
    """The turns of its event loops that it is handling now, by epoll set; None for poll and select."""
    blocked: frozenset[str] = frozenset()
    """Signals known to be blocked, such as "SIGPIPE"."""
    robust_list: str = ""
    """The address of its list of robust futexes, as printed; empty until its set_robust_list shows it."""
    waits: int = 0
    """How often it has blocked by its own choice: poll, select, epoll_wait, nanosleep."""
    last_call: Syscall | None = None
    last_signal: Signal | None = None
    earlier_signal: Signal | None = None
    """The signal before the last one."""
    handled: Syscall | None = None
    """The last return of a signal handler: sigreturn(2)."""

    apart: Place | None = None
    """Its own working directory and root, if it does not share those of its process: CLONE_FS."""

    @property
    def place(self) -> Place:
        """The working directory and root that its paths start from."""
        return self.apart or self.process.place

    @property
    def pending(self) -> Syscall | Begun | None:
        """The call that has not returned yet."""
        last = self.last_call
        return self.inside or (last if last is not None and not last.returned else None)
