"""The server's state of one client."""

from collections import deque
from collections.abc import Iterable
from select import EPOLLIN, EPOLLOUT, EPOLLRDHUP
from socket import socket

from .request import RequestReader


class Connection:
    """A client's socket, the requests received and the answers to be sent.

    A connection either reads or writes: while an answer waits for room in the socket, nothing more is read,
    so that a client that sends requests but never reads answers cannot fill the memory.
    """

    def __init__(self, sock: socket, peer: str) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.peer = peer
        self.requests = RequestReader()
        self.output: deque[memoryview] = deque()
        self.watched = 0  # the events last registered with epoll
        self.closing = False  # no further request is answered
        self.lingering = False  # our side is shut down, the client's is awaited
        self.deadline = 0.0

    @property
    def wanted(self) -> int:
        """The events to wait for; EPOLLHUP and EPOLLERR are always reported (epoll_ctl(2))."""
        return EPOLLOUT if self.output else EPOLLIN | EPOLLRDHUP

    @property
    def is_free(self) -> bool:
        """Whether another request may be answered."""
        return not self.output and not self.closing

    def owe(self, pieces: Iterable[bytes]) -> None:
        """Queue pieces to be sent."""
        self.output.extend(memoryview(piece) for piece in pieces)

    def sent(self, count: int) -> None:
        """Remove `count` sent bytes from the front of the queue, possibly only a part of the first piece."""
        rest = self.output.popleft()[count:]
        if rest:
            self.output.appendleft(rest)
