"""The results of `tree`, as plain values: processes, what each executed and inherited, and how it ended.

Times are seconds. None means that the trace does not show the value.
"""

from __future__ import annotations

import msgspec

from tracediag.results.overview import Waiting
from tracediag.results.tables import Source


class Thread(msgspec.Struct, frozen=True):
    """One thread of a process, its first one not among them."""

    tid: int | None
    started: float | None
    ended: float | None
    calls: int


class Killer(msgspec.Struct, frozen=True):
    """Who sent the signal that ended a process."""

    pid: int
    call: str
    """The call that sent it, "" if only the siginfo names the sender."""
    line: int
    """Where the trace shows it."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A descriptor that stays open in a program because it is not close-on-exec: any above 2, and sockets below."""

    number: int
    kind: str
    what: str | None
    """What it refers to: a path, the addresses of a connection."""
    line: int | None
    """The line of the call that created it; None if it was open before the trace."""
    passed_on: bool
    """Whether the program before this one, of this process or its parent, had it in the same way."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """How the environment of a program differs from that of the program before, of the same process or its parent."""

    added: dict[str, str]
    """Variables that are new or have another value."""
    removed: tuple[str, ...]
    shortened: bool
    """Whether strace cut the list or one of the values: a variable that is cut alike counts as the same."""


class Program(msgspec.Struct, frozen=True):
    """A program that a process became by execve."""

    command: tuple[str, ...]
    """Its arguments, the path of the program where the trace does not show them."""
    shortened: bool
    """Whether strace cut the list or one of the strings."""
    line: int
    """0 for a program that a snapshot of /proc shows, as it ran before the trace."""
    time: float | None
    directory: str | None = None
    """The working directory at the execve."""
    kept: tuple[Kept, ...] = ()
    """The descriptors that it inherits."""
    kept_more: int = 0
    """How many more it inherits, where there are very many."""
    environment: Environment | None = None
    """None unless `strace -v` shows the variables of both programs."""


class Move(msgspec.Struct, frozen=True):
    """A change of the working directory."""

    path: str | None
    line: int


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One process, with those that it made."""

    pid: int | None
    first_line: int
    born: bool
    """Whether the trace shows its birth; False for one that was there before."""
    programs: tuple[Program, ...]
    """In order; empty where it runs the program of its parent, or one that the trace does not name."""
    directory: str | None = None
    """The working directory that it began with."""
    moves: tuple[Move, ...] = ()
    """The changes of its working directory, in order."""
    moves_more: int = 0
    """How many more changes there were, where there are very many."""
    started: float | None
    ended: float | None
    """None while it runs at the end of the trace."""
    status: int | None = None
    signal: str | None = None
    core_dumped: bool = False
    running: bool
    """Whether the trace ends before it does."""
    killer: Killer | None = None
    signals: dict[str, int]
    """How often each signal was delivered to it."""
    calls: int
    threads: tuple[Thread, ...]
    waiting: tuple[Waiting, ...] = ()
    """The calls in which it stands when the trace ends, where they were asked for."""
    children: tuple[Node, ...]

    @property
    def place(self) -> str | None:
        """The working directory of its first program, or the one that it began with if it executed none."""
        return self.programs[0].directory if self.programs else self.directory

    @property
    def later_moves(self) -> tuple[Move, ...]:
        """The changes of the working directory after `place`."""
        since = self.programs[0].line if self.programs else 0
        return tuple(move for move in self.moves if move.line > since)


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of one trace."""

    source: Source
    start: float | None
    """The time of the first record: what the times are shown relative to."""
    roots: tuple[Node, ...]
