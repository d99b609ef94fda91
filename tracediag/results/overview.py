"""The head of the report: what was recorded, how each process that matters ended, and where each stands at the end."""

from __future__ import annotations

import msgspec

MOST_ENTRIES = 8
"""Entries of the head: processes that ended, and threads that wait."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded."""

    command: tuple[str, ...] = ()
    """The arguments of the first execve in the trace, or those that /proc showed; empty where neither shows any."""
    shortened: bool = False
    """Whether the trace cuts an argument or leaves some out (`strace -s`)."""
    program: str | None = None
    """The path of the first process's program, where its name or a descriptor shows it."""
    pid: int | None = None
    processes: int = 0
    threads: int = 0
    """All threads, the first ones of the processes among them."""
    unborn: int = 0
    """Of the processes, those whose creation the trace does not show: each may be a thread of another."""
    start: str | None = None
    """The time of the first record: "2023-11-14T22:13:20.052257Z" with `-ttt`, "14:03:07" with `-t` and `-tt`."""
    span: float | None = None
    """Seconds from the first record to the last; None where the trace has no times."""
    counts: str | None = None
    """Of a table of `strace -c`: that it is one, and what stands at its top; None for any other trace."""
    further: int = 0
    """Processes that ended badly beyond those that `ending` lists."""
    further_waiting: int = 0
    """Threads that stand in a call at the end beyond those that `waiting` lists."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a program said last, in its own words."""

    text: str
    """At most 300 characters; control characters as strace shows them are undone."""
    line: int
    """Where the trace shows the last piece of it."""
    to: str
    """Where it went: "fd 2", "fd 1", "/var/log/app.log", "syslog", "a reply to 10.0.0.5:1234"."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """How one process ended, or that it had not ended when the trace did."""

    process: str
    """The process by its program and pid: "nginx (pid 12)"."""
    pid: int | None
    program: str | None
    """The path of its program."""
    status: int | None = None
    """Its exit status; None where a signal killed it, and while it runs."""
    signal: str | None = None
    core_dumped: bool = False
    sender: str | None = None
    """The traced process that sent the signal, by its program and pid; None where the trace does not show it."""
    running: bool = False
    """Whether the trace ends before it does."""
    meaning: str | None = None
    """What the status means by the convention of the program: "no match" of grep; None where there is none."""
    line: int | None = None
    """Where the trace shows the end."""
    time: float | None = None
    stood: str = ""
    """The call in which a signal that orders it to stop, or SIGKILL, met it, and what would have ended that call."""
    words: Words | None = None
    """What it said last; None where it said nothing, or the trace does not show it."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A call in which a thread stands when the trace ends."""

    process: str
    """The process by its program and pid."""
    pid: int | None
    """That of the thread."""
    call: str
    object: str
    """What the call acts on, as far as known: "fd 3 (pipe, read end)"; "" where not known."""
    text: str
    """The call as recorded."""
    line: int
    """Where it began; 0 for one of which the trace has no line, as a look at /proc shows it."""
    since: float | None = None
    """When the call began, in the clock of the trace."""
    threads: int = 1
    """How many threads of the process stand in the same call."""
    reason: str = ""
    """What would end it, and which process could do that; "" where not known."""
    stack: tuple[str, ...] = ()
    """Where the thread is in its program, the innermost function first, from the file of `--stacks`."""


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """A few of many connections that end in another way than the others."""

    kind: str
    """"connections accepted" or "connections made"."""
    count: int
    """All that ended."""
    common: tuple[str, ...]
    """What most go through, by the last read and write and the first error of each: "accept", "read", "write"."""
    common_count: int
    odd: tuple[str, ...]
    """What the few go through."""
    odd_count: int
    how: str
    """In which way they end, in words: "with EPIPE", "without an answer to the last read"."""
    first_line: int
    """The line at which the first of them was created."""
    last_line: int
    """The line at which that one ended."""
    example: str
    """That one, as a person names it: "fd 5 = TCP 127.0.0.1:80 <- 127.0.0.1:4242"."""
