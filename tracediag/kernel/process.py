"""Processes and their threads: clone(2), execve(2), exit_group(2)."""

from __future__ import annotations

from typing import Any

import msgspec

from tracediag.events import Begun, Event, Exit, Signal, Syscall
from tracediag.kernel.epoll import Round
from tracediag.kernel.signals import SignalTable
from tracediag.kernel.table import DescriptorTable


class Process(msgspec.Struct, eq=False):
    """One thread group: what its threads share."""

    pid: int | None
    """None where the trace shows no pids."""
    table: DescriptorTable
    signals: SignalTable
    parent: Process | None = None
    program: str | None = None
    """The path of the last successful execve."""
    execs: int = 0
    started: Event | None = None
    """The clone or fork that made it; None where it was there before the trace."""
    threads: list[Thread] = msgspec.field(default_factory=list)
    """The live threads."""
    exit: Exit | None = None
    exit_status: int | None = None
    """The status given to exit_group, known before the exit itself is reported."""
    memory: dict[str, Any] = msgspec.field(default_factory=dict)
    """What rules remember of it, by rule name."""

    def forget(self) -> None:
        """Drop what nobody can ask for once it has ended: a trace may hold thousands of processes."""
        if self.table.users <= 0:
            self.table = DescriptorTable()
        self.signals = SignalTable()
        self.memory = {}


class Thread(msgspec.Struct, eq=False):
    """One thread: what strace prints a pid for."""

    tid: int | None
    process: Process
    inside: Begun | None = None
    """The call that has begun and not returned."""
    inside_descriptor: Any = None
    """The descriptor that the begun close or dup2 acts on, as it was when the call began."""
    rounds: dict[int, Round] = msgspec.field(default_factory=dict)
    """The turns of its event loops that it is handling now, by identity of the epoll set; 0 for poll and select."""
    blocked: frozenset[str] = frozenset()
    """Signals known to be blocked, as "SIGPIPE"."""
    last_call: Syscall | None = None
    last_signal: Signal | None = None
