"""One look at processes, and at those that they wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from tracediag.recording.proc.futexes import futexes_of
from tracediag.recording.proc.holders import ends_of_interest, holders_of
from tracediag.recording.proc.locks import locks
from tracediag.recording.proc.mappings import Sharers
from tracediag.recording.proc.mounts import mounts_of
from tracediag.recording.proc.processes import children_of, process_of
from tracediag.recording.proc.sockets import sockets_of
from tracediag.recording.proc.unix import with_peers
from tracediag.snapshot import Futex, Holder, Lock, Moment, ProcessState, SocketState, resumed, unmapped

_MOST = 256
"""Processes that are looked at."""
_ROUNDS = 3
"""How far the processes are followed that others wait for."""


def look(pids: Iterable[int], also: Iterable[int] = (), before: Moment | None = None) -> Moment:
    """Return what processes are now, with their descendants, and the processes that hold what they wait for.

    `also` are others of interest; of one that has ended, its parent is looked at too, which has not waited for it.
    `before` is an earlier look, which names the calls that were interrupted since.
    """
    when = time.time()
    ours = _read(_family(pids), before)
    sockets = with_peers(sockets_of(ours[0].pid), ours[0].pid) if ours else []
    rows, known, holders, sought = locks(), ours, list[Holder](), set[str]()
    futexes, sharers = dict[int, tuple[Futex, ...]](), Sharers()
    known = [*known, *_read(set(also) - {process.pid for process in known}, before)]
    for _ in range(_ROUNDS):
        targets = ends_of_interest(known, sockets) - sought
        sought |= targets
        holders += holders_of(targets)
        others = {holder.pid for holder in holders} | _wakers(known, futexes, sharers)
        others |= {process.parent for process in known if process.parent is not None and _has_ended(process)}
        others |= {lock.pid for lock in _relevant(rows, known) if lock.pid > 0}
        new = sorted(others - {process.pid for process in known} - {os.getpid()})[: _MOST - len(known)]
        if not new:
            break
        known = [*known, *_read(new, before)]
    _wakers(known, futexes, sharers)
    return Moment(
        time=when,
        processes=tuple(known),
        sockets=tuple(_own(sockets, known)),
        locks=_relevant(rows, known),
        futexes=tuple(futex for found in futexes.values() for futex in found),
        holders=tuple(holders),
        sought=tuple(sorted(sought)),
        mounts=mounts_of(process.pid for process in ours),
    )


def _family(pids: Iterable[int]) -> list[int]:
    """Return processes and their descendants, each once."""
    found: dict[int, None] = {}
    left = list(pids)
    while left and len(found) < _MOST:
        pid = left.pop(0)
        if pid not in found:
            found[pid] = None
            left += children_of(pid)
    return list(found)


def _has_ended(process: ProcessState) -> bool:
    return all(thread.state == "Z" for thread in process.threads)


def _wakers(processes: Iterable[ProcessState], futexes: dict[int, tuple[Futex, ...]], sharers: Sharers) -> set[int]:
    """Read the words that the threads of processes wait for; return the other processes that could wake them."""
    for process in processes:
        if process.pid not in futexes:
            futexes[process.pid] = futexes_of(process, sharers)
    return {pid for found in futexes.values() for futex in found for pid in futex.sharers or ()}


def _read(pids: Iterable[int], before: Moment | None) -> list[ProcessState]:
    return [resumed(process, before) for pid in pids if (process := process_of(pid)) is not None]


def _own(sockets: Iterable[SocketState], processes: Iterable[ProcessState]) -> Iterator[SocketState]:
    """Yield the sockets that the processes have open, their other ends, and the listeners that these ask."""
    known = list(sockets)
    targets = {held.target for process in processes for held in process.descriptors}
    held = [one for one in known if f"socket:[{one.inode}]" in targets]
    asked = {unmapped(one.peer) for one in held if one.peer}
    asked |= {thread.path for process in processes for thread in process.threads if thread.call == "connect"}
    ends = {(unmapped(one.peer), unmapped(one.local)) for one in held if one.peer}
    peers = {one.peer_inode for one in held}
    for one in known:
        other = (unmapped(one.local), unmapped(one.peer)) in ends or one.inode in peers
        if f"socket:[{one.inode}]" in targets or other or (one.is_open and any(map(one.serves, asked))):
            yield one


def _relevant(rows: Iterable[Lock], processes: Iterable[ProcessState]) -> tuple[Lock, ...]:
    """Return the locks that the processes hold or wait for, and those of the same files."""
    known = list(rows)
    pids = {process.pid for process in processes}
    files = {lock.file for lock in known if lock.pid in pids}
    files |= {f"{held.device}:{held.inode}" for process in processes for held in process.descriptors if held.device}
    return tuple(lock for lock in known if lock.file in files)
