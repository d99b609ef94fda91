"""The processes that have the other end of a pipe or socket open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.recording.proc.texts import fields, link, names, number, numbers, text
from tracediag.snapshot import Held, Holder, ProcessState, SocketState

_MOST = 512
_TRANSFERS = frozenset({
    "read", "write", "readv", "writev", "pread64", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "connect",
})  # fmt: skip


def ends_of_interest(processes: Iterable[ProcessState], sockets: Iterable[SocketState]) -> set[str]:
    """Return the targets of links by which other processes hold what the threads of these read or write now."""
    used = {held.target for process in processes for held in _used(process)}
    found = {target for target in used if target.startswith(("pipe:[", "/"))}
    known = list(sockets)
    pairs = {(one.peer, one.local) for one in known if one.peer and f"socket:[{one.inode}]" in used}
    return found | {f"socket:[{one.inode}]" for one in known if one.inode and (one.local, one.peer) in pairs}


def _used(process: ProcessState) -> Iterator[Held]:
    """Yield the descriptors of the transfers in which the threads of a process stand."""
    for thread in process.threads:
        held = process.held(thread.arguments[0]) if thread.call in _TRANSFERS and thread.arguments else None
        if held is not None:
            yield held


def holders_of(targets: set[str]) -> list[Holder]:
    """Return the descriptors of all processes that refer to one of these."""
    found: list[Holder] = []
    for pid in numbers("/proc") if targets else ():
        for name in names(f"/proc/{pid}/fd"):
            target = link(f"/proc/{pid}/fd/{name}")
            if target in targets and len(found) < _MOST:
                flags = fields(text(f"/proc/{pid}/fdinfo/{name}")).get("flags")
                found.append(Holder(pid, int(name), target, None if flags is None else number(flags, 8)))
    return found
