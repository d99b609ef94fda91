"""The state of each process and thread while a trace is read, of which the nodes of the tree are made."""

from __future__ import annotations

from collections import Counter

import msgspec

from tracediag.kernel.process import Process, Thread
from tracediag.overviews.descent.directories import Directories
from tracediag.overviews.descent.handing import Handed, change, kept_open, variables_of
from tracediag.results import tree
from tracediag.results.overview import Waiting
from tracediag.results.tree import Killer, Node, Program
from tracediag.trace.events import Syscall
from tracediag.trace.records import Exit

NOTHING = Handed()


class ThreadState(msgspec.Struct, eq=False):
    """The state of a thread while the trace is read."""

    thread: Thread
    process: Process
    """Its process so far: a trace may show late that it is a thread of another one."""
    started: float | None
    ended: float | None = None
    calls: int = 0

    @property
    def tid(self) -> int | None:
        """Its number; a process on a terminal gets it late."""
        return self.thread.tid


class ProcessState(msgspec.Struct, eq=False):
    """The state of a process while the trace is read."""

    process: Process
    first_line: int
    first_time: float | None
    handed: Handed
    """What its present program was handed, at first that of its parent."""
    directories: Directories
    programs: list[Program] = msgspec.field(default_factory=list)
    signals: Counter[str] = msgspec.field(default_factory=Counter)
    thread_states: dict[Thread, ThreadState] = msgspec.field(default_factory=dict)
    """Its threads; the first is its initial thread."""
    left: float | None = None
    """When it called exit_group."""
    end: Exit | None = None
    """The exit of its first thread, or if that is not shown of its last one."""
    end_of_first: bool = False
    """Whether `end` is the first thread's."""
    reaped: tuple[int | None, str | None] | None = None
    """Status and signal as its parent learned them."""

    def execute(self, call: Syscall, program: Program) -> None:
        """Record a program, with what it was handed; the model has already closed what is close-on-exec."""
        files, kept, more = kept_open(self.process, self.handed)
        variables, complete = variables_of(call)
        handed = Handed(files, variables, complete)
        self.programs.append(
            msgspec.structs.replace(program, kept=kept, kept_more=more, environment=change(self.handed, handed))
        )
        self.handed = handed

    def node(self, children: tuple[Node, ...], killer: Killer | None, waiting: tuple[Waiting, ...]) -> Node:
        """Return its node; `killer` is the sender of the signal that `outcome` names."""
        process = self.process
        end, status, signal = self.outcome
        others = list(self.thread_states.values())[1:]
        return Node(
            pid=process.pid,
            first_line=self.first_line,
            born=process.started is not None or bool(self.programs and 0 < self.programs[0].line <= self.first_line),
            programs=tuple(
                msgspec.structs.replace(program, directory=self.directories.at(program.line))
                for program in self.programs
            ),
            directory=self.directories.first,
            moves=tuple(self.directories.moves),
            moves_more=self.directories.more,
            started=self.first_time,
            ended=process.exit.time if process.exit is not None else self.left,
            status=status,
            signal=signal,
            core_dumped=end is not None and end.core_dumped,
            running=end is None and status is None and signal is None,
            killer=killer,
            signals=dict(self.signals),
            calls=sum(thread.calls for thread in self.thread_states.values()),
            threads=tuple(tree.Thread(state.tid, state.started, state.ended, state.calls) for state in others),
            waiting=waiting,
            children=children,
        )

    @property
    def outcome(self) -> tuple[Exit | None, int | None, str | None]:
        """How it ended: the exit if the trace shows it, the status, and the signal that killed it."""
        end = self.end if self.process.exit is not None else None
        if end is not None:
            return end, end.status, end.signal
        status, signal = self.reaped or (None, None)
        return None, self.process.exit_status if signal is None and status is None else status, signal
