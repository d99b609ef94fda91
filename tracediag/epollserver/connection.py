"""What the server knows of one client."""

from collections import deque
from collections.abc import Iterable
from select import EPOLLIN, EPOLLOUT, EPOLLRDHUP
from socket import socket

from .request import RequestReader


class Connection:
    """A client's socket, the requests that it sends and the answer that it is still owed.

    A connection either reads or writes: while an answer waits for room in the socket, nothing more is read,
    so that a client which asks and asks but never listens cannot fill the memory.
    """

    def __init__(self, sock: socket, peer: str) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.peer = peer
        self.requests = RequestReader()
        self.output: deque[memoryview] = deque()
        self.watched = 0  # the events that epoll was last asked for
        self.closing = False  # no request is answered any more
        self.lingering = False  # our end is shut, the client's end is awaited
        self.deadline = 0.0

    @property
    def wanted(self) -> int:
        """The events to wait for; EPOLLHUP and EPOLLERR always come unasked (epoll_ctl(2))."""
        return EPOLLOUT if self.output else EPOLLIN | EPOLLRDHUP

    @property
    def is_free(self) -> bool:
        """Whether a further request may be answered."""
        return not self.output and not self.closing

    def owe(self, pieces: Iterable[bytes]) -> None:
        """Queue pieces to be sent."""
        self.output.extend(memoryview(piece) for piece in pieces)

    def sent(self, count: int) -> None:
        """Take note that `count` bytes of the first piece are sent, perhaps not all of it."""
        rest = self.output.popleft()[count:]
        if rest:
            self.output.appendleft(rest)
