"""One look at processes, and at those that they wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

from tracediag.recording.proc.futexes import futexes_of
from tracediag.recording.proc.holders import ends_of_interest, holders_of
from tracediag.recording.proc.locks import locks
from tracediag.recording.proc.processes import children_of, process_of
from tracediag.recording.proc.sockets import sockets_of
from tracediag.recording.proc.unix import with_peers
from tracediag.snapshot import Lock, Moment, ProcessState, SocketState

_MOST = 256
"""Processes that are looked at."""
_ROUNDS = 3
"""How far the processes are followed that others wait for."""


def look(pids: Iterable[int]) -> Moment:
    """Return what processes are now, with their descendants, and the processes that hold what they wait for."""
    when = time.time()
    ours = _read(_family(pids))
    sockets = with_peers(sockets_of(ours[0].pid), ours[0].pid) if ours else []
    held = _relevant(locks(), ours)
    known, holders, sought = ours, [], set[str]()
    others = {lock.pid for lock in held if lock.pid > 0}
    for _ in range(_ROUNDS):
        targets = ends_of_interest(known, sockets) - sought
        sought |= targets
        holders += holders_of(targets)
        others |= {holder.pid for holder in holders}
        new = sorted(others - {process.pid for process in known} - {os.getpid()})[: _MOST - len(known)]
        if not new:
            break
        known = [*known, *_read(new)]
    return Moment(
        time=when,
        processes=tuple(known),
        sockets=tuple(_own(sockets, known)),
        locks=held,
        futexes=tuple(futex for process in known for futex in futexes_of(process)),
        holders=tuple(holders),
        sought=tuple(sorted(sought)),
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


def _read(pids: Iterable[int]) -> list[ProcessState]:
    return [process for pid in pids if (process := process_of(pid)) is not None]


def _own(sockets: Iterable[SocketState], processes: Iterable[ProcessState]) -> Iterator[SocketState]:
    """Yield the sockets that the processes have open, their other ends, and the listeners that these ask."""
    known = list(sockets)
    targets = {held.target for process in processes for held in process.descriptors}
    held = [one for one in known if f"socket:[{one.inode}]" in targets]
    asked = {one.peer for one in held if one.peer}
    asked |= {thread.path for process in processes for thread in process.threads if thread.call == "connect"}
    ends, peers = {(one.peer, one.local) for one in held if one.peer}, {one.peer_inode for one in held}
    for one in known:
        other = (one.local, one.peer) in ends or one.inode in peers
        if f"socket:[{one.inode}]" in targets or other or (one.state == "LISTEN" and one.local in asked):
            yield one


def _relevant(rows: Iterable[Lock], processes: Iterable[ProcessState]) -> tuple[Lock, ...]:
    """Return the locks that the processes hold or wait for, and those of the same files."""
    known = list(rows)
    pids = {process.pid for process in processes}
    files = {lock.file for lock in known if lock.pid in pids}
    files |= {f"{held.device}:{held.inode}" for process in processes for held in process.descriptors if held.device}
    return tuple(lock for lock in known if lock.file in files)
