"""Pairs the two ends of a connection or pipe: socketpair(2), connect(2) and accept(2), pipe(2).

The ends of a connection appear one by one, in either order, and often the trace shows only one of them. An unpaired
end waits here: under its pair of names if both are known (addresses, or for unix sockets the inodes that `-yy` shows),
else under the address where a client and a listener meet. A client may close its end before the listener accepts the
connection, so closed ends are kept until room is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.pipe import Pipe
from tracediag.kernel.socket import Socket
from tracediag.trace.events import Syscall

_ROOM = 256
"""How many unpaired ends are kept before closed ones are dropped."""
_CROWD = 16
"""How many may wait under one address: with more, pairs cannot be told apart."""
_WILD = frozenset({"0.0.0.0", "[::]"})
_MAPPED = "[::ffff:"
"""An IPv4 address as an IPv6 socket shows it: "[::ffff:127.0.0.1]:80"."""

Waiting = dict[str, dict[OpenFile, None]]
"""Sockets that wait for their other end, by the place where they meet it, the oldest first."""


class Endpoints:
    """The ends that wait for their other end."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], OpenFile] = {}
        """Ends of which both names are known: their own and the peer's."""
        self._callers: Waiting = {}
        """Connected sockets by the address that they connected to: a path, or a port on any host."""
        self._answered: Waiting = {}
        """Accepted sockets by the address of their listener."""
        self._pipes: dict[int, Pipe] = {}
        """Pipes by inode."""
        self.noted = False
        """Whether a note of `-y` shows any socket."""
        self._added = 0
        self._room = _ROOM

    @staticmethod
    def pair(one: OpenFile, other: OpenFile, *, guessed: bool = False) -> None:
        """Record that two sockets are the ends of one connection."""
        for file, far in ((one, other), (other, one)):
            socket = file.socket
            if socket is None:
                continue
            if socket.other is not None and socket.other is not far and socket.other.socket is not None:
                socket.other.socket.other = None
            socket.other, socket.guessed = far, guessed

    def name(self, file: OpenFile, local: str, peer: str) -> None:
        """Record both names of an end; the other end has the same names swapped."""
        socket = file.socket
        if socket is None or (socket.other is not None and not socket.guessed):
            return
        names = (_plain(local), _plain(peer))
        other = self._named.get((names[1], names[0]))
        if other is not None and other is not file:
            del self._named[names[1], names[0]]
            self.pair(file, other)
            return
        held = self._named.get(names)
        if held is None or not held.referred:
            self._named[names] = file
            self._count()

    def meet(self, file: OpenFile) -> None:
        """Record the addresses of a socket, if both are known in full."""
        socket = file.socket
        if socket is None or not socket.local or not socket.peer or socket.peer.isdecimal():
            return
        if _split(socket.local)[0] not in _WILD:
            self.name(file, socket.local, socket.peer)

    def call(self, file: OpenFile, call: Syscall) -> None:
        """Record a connect: the other side may have been accepted already, since that call began."""
        socket = file.socket
        if socket is None or socket.other is not None or socket.stream is False or _named_later(socket):
            return
        place = _place(socket.peer)
        if place is None:
            return
        # A socket accepted before this connect began belongs to another connection.
        late = (end for end in _untied(self._answered, place) if _accepted_after(end, call.line))
        if not self._choose(file, [(end, _fit(socket, end.socket)) for end in late]):
            self._wait(self._callers, place, file)

    def answer(self, file: OpenFile) -> None:
        """Record an accepted connection."""
        socket = file.socket
        if socket is None or (socket.named and _named_later(socket)):
            return
        self.meet(file)
        place = _place(socket.local)
        if place is None or socket.other is not None:
            return
        callers = [(end, _fit(end.socket, socket)) for end in _untied(self._callers, place)]
        if not self._choose(file, callers):
            self._wait(self._answered, place, file)

    def forget(self, file: OpenFile) -> None:
        """Drop a socket whose connect failed later."""
        place = None if file.socket is None else _place(file.socket.peer)
        if place is not None and (waiting := self._callers.get(place)) is not None:
            waiting.pop(file, None)

    def pipe(self, inode: int) -> Pipe:
        """Return the pipe with an inode that `-y` shows."""
        found = self._pipes.get(inode)
        if found is None:
            found = Pipe(inode=inode)
            self.know(found)
        return found

    def know(self, pipe: Pipe) -> None:
        """Remember a pipe by its inode, for ends that are known only by that."""
        if pipe.inode is not None:
            self._pipes[pipe.inode] = pipe
            self._count()

    def _choose(self, file: OpenFile, candidates: list[tuple[OpenFile, bool | None]]) -> bool:
        """Pair an end with the only certain candidate, else with the only possible one."""
        sure = [end for end, fits in candidates if fits]
        possible = [end for end, fits in candidates if fits is None]
        chosen = sure or possible
        if len(chosen) != 1:
            return False
        self.pair(file, chosen[0], guessed=not sure)
        return True

    def _wait(self, waiting: Waiting, place: str, file: OpenFile) -> None:
        there = waiting.setdefault(place, {})
        if len(there) >= _CROWD:
            del there[next(iter(there))]
        there[file] = None
        self._count()

    def _count(self) -> None:
        self._added += 1
        if self._added >= self._room:
            self._sweep()

    def _sweep(self) -> None:
        """Drop closed and paired ends."""
        self._named = {names: file for names, file in self._named.items() if _loose(file)}
        self._pipes = {inode: pipe for inode, pipe in self._pipes.items() if pipe.referred}
        self._callers, self._answered = _swept(self._callers), _swept(self._answered)
        kept = len(self._named) + len(self._pipes)
        for waiting in (self._callers, self._answered):
            kept += sum(len(there) for there in waiting.values())
        self._added = kept
        self._room = max(_ROOM, 2 * kept)


def _named_later(socket: Socket) -> bool:
    """Whether `-yy` will show its addresses, so that there is no need to guess."""
    return socket.protocol is not None and socket.protocol.startswith("TCP")


def _swept(waiting: Waiting) -> Waiting:
    kept = {place: {end: None for end in there if _loose(end)} for place, there in waiting.items()}
    return {place: there for place, there in kept.items() if there}


def _loose(file: OpenFile) -> bool:
    return file.referred and file.socket is not None and (file.socket.other is None or file.socket.guessed)


def _untied(waiting: Waiting, place: str) -> Iterator[OpenFile]:
    there = waiting.get(place)
    if there is not None:
        yield from (file for file in there if file.socket is not None and file.socket.other is None)


def _accepted_after(file: OpenFile, line: int) -> bool:
    accepted = None if file.socket is None else file.socket.accepted
    return accepted is not None and max(accepted.line, accepted.end_line) > line


def _fit(caller: Socket | None, answered: Socket | None) -> bool | None:
    """Whether a client and an accepted socket are ends of one connection; None if they may be."""
    if caller is None or answered is None:
        return False
    called, listening = _split(caller.peer)[0], _split(answered.local)[0]
    if called != listening and not {called, listening} & _WILD:
        return False
    if answered.peer is None or ":" not in answered.peer:
        return None  # a unix socket, or an accept that did not ask for the peer address
    host, port = _split(caller.local)
    if port not in ("", "0") and host not in _WILD:
        return _plain(caller.local or "") == _plain(answered.peer)
    # A client that connects to an address of its own host uses the same address itself.
    return None if _split(answered.peer)[0] == called or called in _WILD else False


def _place(address: str | None) -> str | None:
    """Return the address where a client and a listener meet: a path, or the port on any host."""
    if address is None or address.isdecimal():
        return None
    host, port = _split(address)
    return f":{port}" if port else host


def _split(address: str | None) -> tuple[str, str]:
    """Return host and port; a path and "" for a unix socket."""
    plain = _plain(address or "")
    if plain.startswith(("/", "@")):
        return plain, ""
    host, colon, port = plain.rpartition(":")
    return (host, port) if colon and port.isdecimal() else (plain, "")


def _plain(address: str) -> str:
    """Return an address in canonical form: an IPv4-mapped IPv6 address as IPv4."""
    if address.startswith(_MAPPED):
        return address.removeprefix(_MAPPED).replace("]", "", 1)
    return address
