"""Waits for several descriptors: poll(2), select(2), epoll_wait(2), as the memory and the epoll set show them."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.blocking.link import Link
from tracediag.evidence.blocking.transfers import unanswered, waited
from tracediag.snapshot import Held, Moment, ProcessState, Registered, ThreadState
from tracediag.trace.calls import EPOLL_WAITS, WAITS

_IN, _OUT = 1, 4
_WANTED = 0x23C7
"""POLLIN, POLLPRI, POLLOUT, their forms for bands and POLLRDHUP; without any only POLLERR and POLLHUP end a wait."""
_SHOWN = 3
_MOST = 64
_ARGUMENTS = 6
_INWARD = 8
"""Descriptors beyond which a poll is one of a server, and no wait for other threads."""
_ENDLESS = 0xFFFF_FFFF
"""-1, as the 32 bits of an int."""
_INNER = ("eventfd", "signalfd", "timerfd")


def poll_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return what a thread waits for in a poll, with the peers of its connections; None where that is not known."""
    entries = _entries(process, thread)
    found = [
        (held, link)
        for entry in entries[:_MOST]
        if (held := process.held(entry.fd)) is not None and (link := _link(moment, process, thread, entry, held))
    ]
    if not found:
        return None if entries or not thread.arguments else _nothing(process, thread)
    found = list({link.waits: (held, link) for held, link in reversed(found)}.values())[::-1]
    found.sort(key=lambda one: _rank(*one))
    timed = "" if _is_endless(thread) else ", with a timeout"
    chosen = [f"fd {held.number}: {link.waits}" for held, link in found[:_SHOWN]]
    more = f"; and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    unread = "".join(f"; fd {held.number} has data to read, and is not among them" for held in _missed(moment, process))
    outer = [link for held, link in found if _rank(held, link) <= 0]
    sure = not timed and len(entries) - sum(_wakes_itself(held, link) for held, link in found) < 2
    outer = [link for link in outer if link.kind == "write"] or outer  # a program asks for room only to write
    blocker = outer[0].blocker if len(outer) == 1 and outer[0].blocker != process.pid else None
    if len(entries) == 1:
        return Link(thread.tid, f"{found[0][1].waits}{timed}{unread}", blocker, "poll", sure=sure)
    which = f"one of {len(entries)} descriptors{timed}: {'; '.join(chosen)}{more}{unread}"
    return Link(thread.tid, which, blocker, "poll", sure=sure)


def _entries(process: ProcessState, thread: ThreadState) -> tuple[Registered, ...]:
    if thread.call not in EPOLL_WAITS:
        return thread.watches
    held = process.held(thread.arguments[0]) if thread.arguments else None
    return () if held is None else held.epoll


def _link(moment: Moment, process: ProcessState, thread: ThreadState, entry: Registered, held: Held) -> Link | None:
    if not entry.events & _WANTED:
        return Link(thread.tid, f"a hang-up or an error of {held.target}", None, "poll")
    reads = bool(entry.events & _IN) or not entry.events & _OUT
    link = waited(moment, process, thread.tid, held, reads=reads)
    own = moment.socket(held.target) if link is None else None
    if own is not None and own.state == "SYN-SENT":
        return Link(thread.tid, unanswered(own.peer), None, "connect")
    what = held.target if own is None or not own.peer else f"{'data' if reads else 'room'} of the peer {own.peer}"
    return link or Link(thread.tid, what, None, "poll")


def _rank(held: Held, link: Link) -> int:
    """Return -1 for room to write, 0 for what another process can end, 1 for others, 2 and 3 for what wakes itself.

    An eventfd or a pipe of its own is the tool of a loop; a connection of the program to itself is its work.
    """
    if any(kind in held.target for kind in _INNER):
        return 3
    if "only the process itself" in link.waits:
        return 2 if held.target.startswith("socket:[") else 3
    if link.kind == "write":
        return -1
    return 0 if link.blocker is not None or (held.target.startswith("socket:[") and link.kind != "poll") else 1


def is_inward(moment: Moment, process: ProcessState, thread: ThreadState) -> bool:
    """Whether only other threads of the process can end a poll: by its own eventfd or pipe, and never by a timeout."""
    if thread.call not in WAITS or len(thread.arguments) < _ARGUMENTS or not _is_endless(thread):
        return False
    entries = _entries(process, thread)
    if len(entries) > _INWARD:
        return False
    held = [process.held(entry.fd) if entry.events & _WANTED else None for entry in entries]
    links = [None if one is None else waited(moment, process, thread.tid, one, reads=True) for one in held]
    return all(
        one is not None and link is not None and _wakes_itself(one, link) for one, link in zip(held, links, strict=True)
    )


def _wakes_itself(held: Held, link: Link) -> bool:
    """Whether only the process makes a descriptor ready: its own eventfd, or a pipe that no other has open."""
    return "eventfd" in held.target or "only the process itself" in link.waits


def _nothing(process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of a poll that names no descriptor."""
    if thread.call in EPOLL_WAITS:
        held = process.held(thread.arguments[0])
        empty = held is not None and held.target == "anon_inode:[eventpoll]"
        return Link(thread.tid, "an epoll set in which no descriptor is registered", None, "poll") if empty else None
    return None


def _is_endless(thread: ThreadState) -> bool:
    """Whether a poll has no timeout; poll and epoll_wait take milliseconds, the others a pointer."""
    arguments = thread.arguments
    if thread.call == "poll":
        return arguments[2] & _ENDLESS == _ENDLESS
    if thread.call in ("epoll_wait", "epoll_pwait"):
        return arguments[3] & _ENDLESS == _ENDLESS
    return arguments[{"ppoll": 2, "epoll_pwait2": 3}.get(thread.call, 4)] == 0


def _missed(moment: Moment, process: ProcessState) -> Iterator[Held]:
    """Yield the connections with unread data that no thread of a process waits for, with one thread, at most one."""
    if len(process.threads) > 1:
        return
    watched = {entry.fd for thread in process.threads for entry in _entries(process, thread)}
    watched |= {entry.fd for held in process.descriptors for entry in held.epoll}
    for held in process.descriptors:
        socket = moment.socket(held.target) if held.target.startswith("socket:[") else None
        if socket is not None and socket.queued and socket.state != "LISTEN" and held.number not in watched:
            yield held
            return
