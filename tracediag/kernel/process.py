"""Processes and their threads: clone(2), execve(2), exit_group(2)."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from tracediag.kernel.address_space import AddressSpace
from tracediag.kernel.credentials import Groups, Ids, Seccomp, Terminal
from tracediag.kernel.epoll import EpollSet, Round
from tracediag.kernel.signals import SignalTable
from tracediag.kernel.table import DescriptorTable
from tracediag.kernel.watched import Watched
from tracediag.trace.events import Begun, Event, Exit, Signal, Syscall

_KEPT = 16
_FAILURES_KEPT = 64
"""The C library looks for message catalogues, and Python for source lines, between a failure and the message."""


class Limit(msgspec.Struct, frozen=True):
    """A resource limit; None is no limit."""

    soft: int | None
    hard: int | None
    call: Syscall
    """The call that showed or set it."""


class Reaped(msgspec.Struct, frozen=True):
    """A child that was waited for."""

    pid: int
    child: Process | None
    """None where strace did not follow it."""
    status: int | None
    signal: str | None
    call: Syscall


class Process(Watched, eq=False):
    """One thread group: what its threads share."""

    pid: int | None
    """None where the trace shows no pids."""
    table: DescriptorTable
    signals: SignalTable
    parent: Process | None = None
    program: str | None = None
    """The path of the last successful execve."""
    former: str | None = None
    """The program before that execve: its own, or that of the parent."""
    executed: Syscall | None = None
    """The last successful execve."""
    execs: int = 0
    started: Event | None = None
    """The clone or fork that made it; None where it was there before the trace."""
    threads: dict[Thread, None] = msgspec.field(default_factory=dict)
    """The live threads, in order of appearance."""
    exit: Exit | None = None
    exit_status: int | None = None
    """The status given to exit_group, known before the exit itself is reported."""
    leaving: Syscall | None = None
    """That exit_group."""
    children: dict[int, Process] = msgspec.field(default_factory=dict)
    """Its children by pid, until it has waited for them."""
    reaped: deque[Reaped] = msgspec.field(default_factory=lambda: deque(maxlen=_KEPT))
    """The last children that it waited for."""
    failures: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_FAILURES_KEPT))
    """Its last calls that failed since the program was started, the latest last; restarted ones are none."""
    messages: deque[Syscall] = msgspec.field(default_factory=lambda: deque(maxlen=_KEPT))
    """Its last writes to fd 2 or to a dup of it, the latest last."""
    limits: dict[str, Limit] = msgspec.field(default_factory=dict)
    """The resource limits that it has asked for or set, by name: getrlimit(2)."""
    group: int | None = None
    """Its process group, once shown, its own or inherited; so with all that follows."""
    session: int | None = None
    terminal: Terminal = msgspec.field(default_factory=Terminal)
    uids: Ids = Ids()
    gids: Ids = Ids()
    groups: Groups = Groups()
    """Its other groups."""
    seccomp: Seccomp | None = None
    """Its own, or that of the parent; kept over execve."""
    space: AddressSpace = msgspec.field(default_factory=AddressSpace)
    """What it has mapped."""
    memory: dict[str, Any] = msgspec.field(default_factory=dict)
    """What rules remember of it, by rule name."""

    @property
    def status(self) -> int | None:
        """The status it has ended with, or is about to; None while it lives on, and where a signal has killed it."""
        return self.exit_status if self.exit is None else self.exit.status

    @property
    def end(self) -> Exit | Syscall | None:
        """What ended it: its exit, or its exit_group where the trace stops before the exit is reported; or None."""
        return self.exit or self.leaving

    @property
    def ended_badly(self) -> bool:
        """Whether it ended with a status other than 0, or was killed by a signal.

        Any signal counts, also one by which processes are ordered to stop (SIGTERM, SIGINT, SIGHUP, SIGQUIT): the
        kernel reports the same for an order and for a fault. `evidence.exits.failed_end` leaves the orders out.
        """
        return bool(self.status) or (self.exit is not None and self.exit.signal is not None)

    @property
    def strictly_confined(self) -> bool:
        """Whether the strict mode of seccomp is in force: any call but read, write and exit ends it by SIGKILL."""
        return self.seccomp is not None and self.seccomp.strict

    def forget(self) -> None:
        """Drop what nobody can ask for once it has ended: a trace may hold thousands of processes.

        A damaged trace may show more of it all the same, so what takes its place can be used.
        """
        self.end_watch()
        if not self.table.users:
            self.table = DescriptorTable()
        self.signals, self.space, self.terminal = SignalTable(), AddressSpace(), Terminal()
        self.children, self.limits, self.memory = {}, {}, {}
        self.reaped = self.failures = self.messages = _NONE
        if self.started is not None:  # the command of a root is part of the report
            self.executed = None


_NONE: deque[Any] = deque(maxlen=0)
"""What all the dead have in common, instead of some kilobytes each: it takes nothing in."""


class Thread(Watched, eq=False):
    """One thread: what strace prints a pid for."""

    tid: int | None
    process: Process
    inside: Begun | None = None
    """The call that has begun and not returned."""
    inside_descriptor: Any = None
    """The descriptor that the begun close or dup2 acts on, as it was when the call began."""
    rounds: dict[EpollSet | None, Round] = msgspec.field(default_factory=dict)
    """The turns of its event loops that it is handling now, by epoll set; None for poll and select."""
    blocked: frozenset[str] = frozenset()
    """Signals known to be blocked, as "SIGPIPE"."""
    waits: int = 0
    """How often it has waited for a descriptor or a while, on its own account: poll, select, epoll_wait, nanosleep."""
    last_call: Syscall | None = None
    last_signal: Signal | None = None
    earlier_signal: Signal | None = None
    """The one before the last."""

    @property
    def pending(self) -> Syscall | Begun | None:
        """The call that it has not come back from."""
        last = self.last_call
        return self.inside or (last if last is not None and not last.returned else None)
