"""The state of the traced processes at one line of a trace, as plain values between the model and rendering.

Lines are those of the trace; None means that the trace does not show the value. Times are seconds.
"""

from __future__ import annotations

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """One descriptor of a process that refers to something."""

    pid: int | None
    number: int


class OpenDescriptor(msgspec.Struct, frozen=True, kw_only=True):
    """One open descriptor."""

    number: int
    kind: str
    """"file", "socket", "pipe", "epoll", "device", ... or "unknown"."""
    what: str | None
    """What it refers to: a path, the addresses of a socket, the end of a pipe."""
    flags: tuple[str, ...]
    """The access mode and status flags that are known, and FD_CLOEXEC."""
    line: int | None
    """The line of the call that created this descriptor; None for one that was there before."""
    call: str | None
    """The name of that call."""
    origin: str = ""
    """For a copy: "dup of fd 3", "inherited from pid 12", "received from pid 12"."""
    condition: tuple[str, ...] = ()
    """What has happened to it: "listening since line 12", "the peer has closed (line 80)"."""
    shared_with: tuple[Holder, ...] = ()
    """The other descriptors of the same open file description."""
    other_end: tuple[Holder, ...] = ()
    """The descriptors of the other end of a connection or pipe, in traced processes."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an epoll set."""

    number: int
    what: str | None
    events: tuple[str, ...] | None
    line: int | None
    """The line of the EPOLL_CTL_ADD."""
    stale: bool
    """Whether the descriptor was closed; another one keeps the description, and so the entry, alive: epoll(7)."""


class EpollState(msgspec.Struct, frozen=True):
    """One epoll set and its entries."""

    number: int
    line: int | None
    entries: tuple[Watch, ...]


class FileLock(msgspec.Struct, frozen=True, kw_only=True):
    """One lock that is held."""

    kind: str
    """"flock", "POSIX" or "OFD": flock(2), fcntl(2)."""
    exclusive: bool
    number: int | None
    """The descriptor by which it was taken."""
    what: str | None
    range: str
    """"whole file", "bytes 0-99", "bytes 100-"."""
    line: int


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that mmap or brk provided."""

    what: str
    """The path, "anonymous", "shared anonymous", "thread stack" or "heap (brk)"."""
    start: int
    length: int
    line: int


class Memory(msgspec.Struct, frozen=True):
    """The mappings that the trace shows; those that execve itself makes (program, loader, stack) are not calls."""

    count: int
    total: int
    """Bytes."""
    regions: tuple[Region, ...]
    """All of them, the biggest first."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a thread stands."""

    tid: int | None
    blocked: bool
    """Whether it is inside a call; if not, `call` is the last one that returned."""
    call: str | None
    """The record; None before its first call."""
    line: int | None
    since: float | None
    """The time of that record."""
    waits_for: tuple[str, ...] = ()
    """What it waits for: descriptors, a child."""
    ending: bool = False
    """Whether that record is the call that ends it, such as exit_group."""
    stopped: str | None = None
    """The signal that has stopped it, such as SIGSTOP; None while it may run."""
    stopped_line: int | None = None


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """One child that has not been reaped."""

    pid: int | None
    program: str | None
    line: int | None
    """The line of the call that created it."""
    ended: str | None
    """How it ended: it is a zombie; None while it runs."""
    ended_line: int | None = None


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """One process that has not ended."""

    pid: int | None
    parent: int | None
    program: str | None
    command: tuple[str, ...]
    """The command line of its last execve, or of a snapshot of /proc; () if neither shows it."""
    line: int | None
    """The line of the call that created it; None for a process that was there before the trace."""
    executed: int | None
    """The line of its last execve."""
    directory: str | None
    """Its working directory, as the kernel or its last chdir showed it."""
    directory_line: int | None
    """Where the trace shows that; None where a snapshot of /proc does."""
    followed: bool
    """Whether the trace holds calls of it."""
    threads: tuple[Standing, ...]
    descriptors: tuple[OpenDescriptor, ...]
    unseen: tuple[int, ...]
    """Which of 0, 1 and 2 the trace does not mention up to here: they were inherited, or are closed."""
    epolls: tuple[EpollState, ...]
    locks: tuple[FileLock, ...]
    memory: Memory
    children: tuple[Child, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What was open, registered, locked, mapped, alive and blocked as of one line."""

    path: str
    """The trace."""
    line: int
    """The state is the one after this line."""
    time: float | None
    """The time of the last record up to there."""
    start: float | None
    """The time of the first record."""
    processes: tuple[ProcessState, ...]
    """Those alive, in order of appearance."""
    ended: int
    """How many processes have ended before that line."""
    damage: str | None = None
    """What of the trace could not be read up to there."""

    def only(self, pid: int) -> State:
        """Return the same with one process alone; with none if that was not alive."""
        kept = tuple(process for process in self.processes if process.pid == pid)
        return msgspec.structs.replace(self, processes=kept)
