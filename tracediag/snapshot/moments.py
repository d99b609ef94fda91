"""What the processes were at one moment, and the document of two such moments, `TRACE.proc.json`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from tracediag.snapshot.values import Futex, Holder, Lock, Mounts, ProcessState, SocketState, ThreadState, unmapped

SCHEMA = "tracediag-proc/1"
"""The edition of the document."""


class Moment(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """What the processes, and those that they wait for, were at one moment."""

    time: float
    """Seconds since 1970."""
    processes: tuple[ProcessState, ...] = ()
    sockets: tuple[SocketState, ...] = ()
    locks: tuple[Lock, ...] = ()
    futexes: tuple[Futex, ...] = ()
    holders: tuple[Holder, ...] = ()
    sought: tuple[str, ...] = ()
    """The targets of links of which all holders, as far as permitted, are in `holders`."""
    mounts: tuple[Mounts, ...] = ()
    """The file systems that the traced processes see, of those that the trace names a path on."""

    def process(self, pid: int | None) -> ProcessState | None:
        """Return a process by its pid."""
        return None if pid is None else self._by_pid.get(pid)

    def process_of(self, tid: int | None) -> ProcessState | None:
        """Return the process of a thread."""
        return None if tid is None else self._of_tid.get(tid)

    def futex(self, tid: int) -> Futex | None:
        """Return the word that a thread waits for."""
        return self._futex_of.get(tid)

    def socket(self, target: str) -> SocketState | None:
        """Return a socket by the target of its link, "socket:[7]"."""
        return self._by_target.get(target)

    def socket_between(self, local: str, peer: str) -> SocketState | None:
        """Return a socket by its two addresses."""
        return self._by_addresses.get((unmapped(local), unmapped(peer)))

    @cached_property
    def _by_addresses(self) -> dict[tuple[str, str], SocketState]:
        return {(unmapped(one.local), unmapped(one.peer)): one for one in self.sockets}

    @cached_property
    def _by_target(self) -> dict[str, SocketState]:
        return {f"socket:[{one.inode}]": one for one in self.sockets}

    @cached_property
    def _by_pid(self) -> dict[int, ProcessState]:
        return {process.pid: process for process in self.processes}

    @cached_property
    def _of_tid(self) -> dict[int, ProcessState]:
        return {thread.tid: process for process in self.processes for thread in process.threads}

    @cached_property
    def _futex_of(self) -> dict[int, Futex]:
        return {futex.tid: futex for futex in self.futexes}

    def threads(self) -> Iterator[ThreadState]:
        """Yield all threads."""
        for process in self.processes:
            yield from process.threads


def resumed(process: ProcessState, before: Moment | None) -> ProcessState:
    """Return a process of a later look, in which each call that was interrupted has its name and descriptors.

    A thread that strace interrupted may stand in restart_syscall, with the arguments of the call: restart_syscall(2).
    """
    if before is None or all(thread.call != "restart_syscall" for thread in process.threads):
        return process
    known = {thread.tid: thread for thread in before.threads()}
    return msgspec.structs.replace(
        process, threads=tuple(_resumed(thread, known.get(thread.tid)) for thread in process.threads)
    )


def _resumed(thread: ThreadState, before: ThreadState | None) -> ThreadState:
    if before is None or thread.call != "restart_syscall" or thread.arguments != before.arguments:
        return thread
    return msgspec.structs.replace(thread, call=before.call, watches=before.watches)


class Snapshot(msgspec.Struct, rename={"edition": "schema"}):
    """The processes before and after the tracing; `after` is added when the tracing ends."""

    edition: str = SCHEMA
    before: Moment | None = None
    after: Moment | None = None
    traced: tuple[int, ...] = ()
    """The processes to which strace was attached."""
    ender: int | None = None
    """The pid of tracediag, where it ended the command because the time of `--for` was over."""
    stacks: dict[int, tuple[str, ...]] = {}
    """The frames of threads, by tid, the innermost first, where the user handed them along."""

    @property
    def latest(self) -> Moment | None:
        """The later moment."""
        return self.after or self.before
