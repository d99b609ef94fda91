"""The processes that have the other end of a pipe or socket open, or listen at the address that is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.recording.proc.descriptors import MASTERS
from tracediag.recording.proc.texts import fields, link, names, number, numbers, text
from tracediag.snapshot import Held, Holder, ProcessState, SocketState, ThreadState, unmapped

_MOST = 512
_MOST_WATCHED = 64
"""Descriptors of one poll or epoll set whose other ends are looked for; a server has thousands."""
_TRANSFERS = frozenset({
    "read", "write", "readv", "writev", "pread64", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "connect",
    "mq_timedsend", "mq_timedreceive", "flock", "fcntl",
})  # fmt: skip
_EPOLLS = frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2"})


def ends_of_interest(processes: Iterable[ProcessState], sockets: Iterable[SocketState]) -> set[str]:
    """Return the targets of links by which other processes hold what the threads of these wait for now."""
    known = list(processes)
    used = {held.target for process in known for held in _used(process)}
    found = {target for target in used if target.startswith(("pipe:[", "/"))} - set(MASTERS)
    found |= {held.details["terminal"] for process in known for held in _used(process) if "terminal" in held.details}
    sides = [one for one in sockets if one.inode]
    ours = [one for one in sides if f"socket:[{one.inode}]" in used]
    pairs = {(unmapped(one.peer), unmapped(one.local)) for one in ours if one.peer}
    peers = {one.peer_inode for one in ours}
    asked = {unmapped(one.peer) for one in ours if one.peer}
    asked |= {thread.path for process in known for thread in process.threads if thread.call == "connect"}
    return found | {
        f"socket:[{one.inode}]"
        for one in sides
        if (unmapped(one.local), unmapped(one.peer)) in pairs
        or one.inode in peers
        or (one.is_open and any(map(one.serves, asked)))
    }


def _used(process: ProcessState) -> Iterator[Held]:
    """Yield the descriptors of the transfers and polls in which the threads of a process stand."""
    for thread in process.threads:
        for fd in _waited(process, thread):
            held = process.held(fd)
            if held is not None:
                yield held


def _waited(process: ProcessState, thread: ThreadState) -> list[int]:
    if thread.call in _TRANSFERS:
        return list(thread.arguments[:1])
    if thread.call in _EPOLLS and thread.arguments:
        held = process.held(thread.arguments[0])
        return [] if held is None else [entry.fd for entry in held.epoll[:_MOST_WATCHED]]
    return [entry.fd for entry in thread.watches[:_MOST_WATCHED]]


def holders_of(targets: set[str]) -> list[Holder]:
    """Return the descriptors of all processes that refer to one of these."""
    found: list[Holder] = []
    terminals = any(target.startswith("/dev/pts/") for target in targets)
    for pid in numbers("/proc") if targets else ():
        for name in names(f"/proc/{pid}/fd"):
            target = link(f"/proc/{pid}/fd/{name}")
            if terminals and target in MASTERS:
                index = fields(text(f"/proc/{pid}/fdinfo/{name}")).get("tty-index", "")
                target = f"master of /dev/pts/{index}" if f"/dev/pts/{index}" in targets else target
            if (target in targets or target.startswith("master of ")) and len(found) < _MOST:
                flags = fields(text(f"/proc/{pid}/fdinfo/{name}")).get("flags")
                found.append(Holder(pid, int(name), target, None if flags is None else number(flags, 8)))
    return found
