"""Waits for data or for room: of a pipe, a socket, a queue, a terminal, and of descriptors that count events."""

from __future__ import annotations

from tracediag.evidence.blocking.children import without_parents
from tracediag.evidence.blocking.datagrams import datagram_link
from tracediag.evidence.blocking.events import event_link
from tracediag.evidence.blocking.link import Link, first_held, listed
from tracediag.snapshot import Held, Moment, ProcessState, SocketState, ThreadState, unmapped
from tracediag.trace.calls import FILE_READS, MQ_RECEIVES, MQ_SENDS, RECEIVES

_ACCESS = 3
_RDONLY, _WRONLY = 0, 1
_QUEUES = MQ_RECEIVES | MQ_SENDS
_IN = FILE_READS | RECEIVES | MQ_RECEIVES
_TERMINALS = ("/dev/tty", "/dev/pts/", "/dev/console")


def transfer_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of a call that transfers data through the descriptor that is its first argument."""
    held = first_held(process, thread)
    if held is not None and thread.call in _QUEUES:
        return _queue(moment, thread.tid, held, reads=thread.call in _IN)
    return None if held is None else waited(moment, process, thread.tid, held, reads=thread.call in _IN)


def waited(moment: Moment, process: ProcessState, tid: int, held: Held, *, reads: bool) -> Link | None:
    """Return what would make a descriptor readable, or else writable, and the process that could do that."""
    if held.target.startswith("socket:["):
        return _peer(moment, process, tid, held, reads=reads)
    if held.target.startswith(_TERMINALS):
        return _terminal(moment, tid, held, reads=reads)
    if (terminal := held.details.get("terminal")) is not None:
        return _master(moment, process, tid, terminal, reads=reads)
    if held.target.startswith(("pipe:[", "/")) and not held.target.startswith("/dev/"):
        return _other_end(moment, process, tid, held, reads=reads)
    return event_link(tid, held) if reads else None


def _terminal(moment: Moment, tid: int, held: Held, *, reads: bool) -> Link:
    """Return the wait at a terminal; of a pseudoterminal the process that has the master is known: pty(7)."""
    masters = {one.pid for one in moment.holders if one.target == f"master of {held.target}"}
    by = f", which {listed(moment, masters)} has open on its other side" if masters else ""
    what = "input" if reads else "room for output"
    blocker = next(iter(masters)) if len(masters) == 1 and not reads else None
    return Link(tid, f"{what} on the terminal {held.target}{by}", blocker, "read" if reads else "write")


def _master(moment: Moment, process: ProcessState, tid: int, terminal: str, *, reads: bool) -> Link:
    """Return the wait of the program behind a pseudoterminal for those that use it: pty(7)."""
    users = {one.pid for one in moment.holders if one.target == terminal} - {process.pid}
    by = f", which {listed(moment, users)} {'has' if len(users) == 1 else 'have'} open" if users else ""
    what = "output on" if reads else "room for input of"
    blocker = next(iter(users)) if len(users) == 1 else None
    return Link(tid, f"{what} the terminal {terminal}{by}", blocker, "read" if reads else "write")


def _queue(moment: Moment, tid: int, held: Held, *, reads: bool) -> Link:
    """Return the wait at a POSIX message queue: any process may open it by its name, mq_overview(7)."""
    other = {one.pid for one in moment.holders if one.target == held.target and _is_end(one.flags, writing=reads)}
    state = "is empty" if reads else "is full"
    deed = "writing" if reads else "reading"
    by = f"{listed(moment, other)} {'has' if len(other) == 1 else 'have'}" if other else "no process has"
    what = "a message in" if reads else "room in"
    return Link(tid, f"{what} the message queue {held.target}, which {state}; {by} it open for {deed}", None, "ipc")


def _itself(process: ProcessState) -> int | None:
    """Return a process as what could end its own wait; None where it has other threads, which could do so."""
    return process.pid if len(process.threads) == 1 else None


def _other_end(moment: Moment, process: ProcessState, tid: int, held: Held, *, reads: bool) -> Link | None:
    """Return the wait at a pipe, a FIFO, or a message queue, which /proc shows with a path."""
    holders = [one for one in moment.holders if one.target == held.target and _is_end(one.flags, writing=reads)]
    ours = {one.pid for one in holders}
    what = f"data in {held.target}" if reads else f"room in {held.target}"
    end, kind = ("write" if reads else "read"), ("read" if reads else "write")
    if not holders and held.target not in moment.sought:
        return None
    if not holders:
        return Link(tid, f"{what}, whose {end} end no process that may be looked at has open", None, kind)
    if ours == {process.pid}:
        blocker = _itself(process) if held.target.startswith("pipe:[") else None  # a FIFO can be opened by its name
        return Link(tid, f"{what}, whose {end} end only the process itself has open", blocker, kind)
    have, others = ("has" if len(ours) == 1 else "have"), ours - {process.pid}
    active = without_parents(moment, others)
    blocker = next(iter(active)) if len(active) == 1 else None
    return Link(tid, f"{what}, whose {end} end {listed(moment, ours)} {have} open", blocker, kind, target=held.target)


def _is_end(flags: int | None, *, writing: bool) -> bool:
    return flags is None or flags & _ACCESS != (_RDONLY if writing else _WRONLY)


def _peer(moment: Moment, process: ProcessState, tid: int, held: Held, *, reads: bool) -> Link | None:
    own = moment.socket(held.target)
    if own is None:
        return None
    if own.state == "LISTEN":
        return Link(tid, f"a connection to {own.local or held.target}", None, "read")
    if own.protocol.startswith("UDP"):
        return datagram_link(moment, process, tid, own) if reads else None
    far = _far(moment, own)
    if far is None:
        return None
    address = far.local or own.peer or f"the other end of fd {held.number}"
    kind = "read" if reads else "write"
    room = "queue of" if own.protocol == "UNIX-DGRAM" else "connection to"
    what = f"data from {address}" if reads else f"room in the {room} {address}"
    if not far.inode:
        return _unaccepted(moment, process, tid, address, what)
    holders = {one.pid for one in moment.holders if one.target == f"socket:[{far.inode}]"}
    others = holders - {process.pid}
    if holders and not others:
        return Link(tid, f"{what}, which only the process itself has open", _itself(process), kind)
    if not others:
        return None
    have = "has" if len(others) == 1 else "have"
    blocker = next(iter(others)) if len(others) == 1 else None
    unread = f" with {far.queued:,} bytes unread" if far.queued and reads else ""
    by = f"which {listed(moment, others)} {have} open on this host{unread}"
    return Link(tid, f"{what}, {by}", blocker, kind, target=f"socket:[{far.inode}]")


def _far(moment: Moment, own: SocketState) -> SocketState | None:
    """Return the other socket of a connection on this host."""
    if own.peer_inode:
        return moment.socket(f"socket:[{own.peer_inode}]")
    return moment.socket_between(own.peer, own.local) if own.peer else None


def _unaccepted(moment: Moment, process: ProcessState, tid: int, address: str, what: str) -> Link:
    """Return the wait at a connection that the kernel has made, and the server has not accepted: accept(2)."""
    listening = listeners(moment, address)
    if not listening:
        return Link(tid, f"{what}, where no server has accepted the connection", None, "unaccepted")
    blocker = None
    if len(listening) == 1:
        blocker = _itself(process) if process.pid in listening else next(iter(listening))
    said = f"{listed(moment, listening)} listens there and has not accepted the connection"
    return Link(tid, f"{what}: {said}", blocker, "unaccepted")


def listeners(moment: Moment, address: str) -> set[int]:
    """Return the processes that listen at an address of this host."""
    address = unmapped(address)
    inodes = {f"socket:[{one.inode}]" for one in moment.sockets if one.state == "LISTEN" and one.serves(address)}
    return {one.pid for one in moment.holders if one.target in inodes}


def connect_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return the wait of connect(2): a listener with a full queue, or a host that does not answer."""
    held = first_held(process, thread)
    own = None if held is None else moment.socket(held.target)
    address = thread.path or (own.peer if own is not None else "")
    if not address:
        return None
    listening = listeners(moment, address)
    others = listening - {process.pid} or listening
    if others:
        blocker = next(iter(others)) if len(others) == 1 else None
        full = "has connections that it does not accept: its queue is full"
        return Link(thread.tid, f"the server at {address}: {listed(moment, others)} {full}", blocker, "connect")
    if own is None or own.state != "SYN-SENT":
        return None
    return Link(thread.tid, unanswered(address), None, "connect")


def unanswered(address: str) -> str:
    """Say that a connection request gets no answer: tcp(7)."""
    silent = "the host is down, or a firewall drops the request"
    return f"an answer from {address} to its connection request (SYN-SENT): {silent}"
