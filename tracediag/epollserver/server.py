"""The correct server: how each client is read, answered and closed.

Every step that programs commonly get wrong is a small method of its own, so that `faults` can override it.
"""

import os
import time
from contextlib import suppress
from select import EPOLLERR, EPOLLHUP, EPOLLOUT
from socket import IPPROTO_TCP, MSG_NOSIGNAL, SHUT_WR, SO_ERROR, SOL_SOCKET, TCP_NODELAY, socket

from .connection import Connection
from .loop import EventLoop
from .request import BadRequestError
from .response import CONTINUE, Response, refuse, respond


class Server(EventLoop):
    """An HTTP/1.1 server on 127.0.0.1 that follows the man pages."""

    client_mode = 0  # added to the events of every client
    receive_size = 64 * 1024
    turn = 16  # reads from one client before the others get their turn
    idle_bound = 30.0  # seconds until an idle client is dropped
    linger_bound = 2.0  # seconds for a client to close its side after ours is shut down

    def __init__(self, port: int, log: str = os.devnull) -> None:
        self.log = self.open_log(log)
        super().__init__(port)

    def open_log(self, path: str) -> int:
        """Open the access log; each line is appended, even if other programs write or truncate it (open(2))."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, connection: Connection, text: str) -> None:
        """Write a line to the access log."""
        with suppress(OSError):  # a full disk must not cost a client its answer
            os.write(self.log, f"{connection.peer} {text}\n".encode())

    def admit(self, sock: socket, peer: str) -> None:
        """Set up a new client."""
        self.prepare(sock)
        connection = Connection(sock, peer)
        connection.watched = connection.wanted | self.client_mode
        connection.deadline = time.monotonic() + self.idle_bound
        self.epoll.register(connection.fd, connection.watched)
        self.connections[connection.fd] = connection

    def prepare(self, sock: socket) -> None:
        """Configure a new socket: on Linux it does not inherit O_NONBLOCK from the listener (accept(2))."""
        sock.setblocking(False)
        # The pieces of an answer must not wait for the acknowledgement of the previous one (tcp(7)).
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def on_client(self, connection: Connection, events: int) -> None:
        """Handle a client's events."""
        try:
            self.handle(connection, events)
        except BlockingIOError:
            self.watch(connection)
        except OSError as error:
            self.fail(connection, error)
        else:
            self.watch(connection)

    def handle(self, connection: Connection, events: int) -> None:
        """Handle an event by its kind; EPOLLRDHUP is read like data, as recv returns 0 after the remaining data."""
        if events & (EPOLLHUP | EPOLLERR):
            self.on_hangup(connection)
        elif events & EPOLLOUT:
            self.flush(connection)
            self.answer(connection)
        else:
            self.on_readable(connection)

    def watch(self, connection: Connection) -> None:
        """Register the events that the connection needs now, unless it is closed or nothing changed."""
        if self.connections.get(connection.fd) is not connection:
            return
        if not connection.lingering and not self.stopping:
            connection.deadline = time.monotonic() + self.idle_bound
        events = connection.wanted | self.client_mode
        if events != connection.watched:
            self.epoll.modify(connection.fd, events)
            connection.watched = events

    def on_readable(self, connection: Connection) -> None:
        """Read until a request is answered or no data is left (BlockingIOError), but only for one turn."""
        for _ in range(self.turn):
            data = self.receive(connection)
            if not data:
                self.on_end_of_data(connection)
                return
            if self.take(connection, data):
                return

    def receive(self, connection: Connection) -> bytes:
        """Receive available data."""
        return connection.sock.recv(self.receive_size)

    def take(self, connection: Connection, data: bytes) -> bool:
        """Append received bytes; return whether they completed a request."""
        if connection.lingering:
            return False
        connection.requests.feed(data)
        return self.answer(connection)

    def answer(self, connection: Connection) -> bool:
        """Answer the requests received so far, each after the previous answer is sent; return whether there was any."""
        answered = False
        while connection.is_free and (response := self.next_response(connection)):
            answered = True
            connection.closing = self.stopping or not response.keeps_alive
            self.note(connection, f"{response.status} {sum(map(len, response.pieces))}")
            connection.owe(response.pieces)
            self.flush(connection)
        return answered

    def next_response(self, connection: Connection) -> Response | None:
        """Return the answer to the next complete request, or `100 Continue` for a client that waits for it."""
        try:
            request = connection.requests.next()
        except BadRequestError as error:
            return refuse(error.status)
        if connection.requests.take_expectation():
            connection.owe([CONTINUE])
            self.flush(connection)
        return respond(request) if request else None

    def flush(self, connection: Connection) -> None:
        """Send queued pieces; if the socket is full (BlockingIOError), the rest follows on EPOLLOUT."""
        while connection.output:
            connection.sent(self.transmit(connection, connection.output[0]))
        if connection.closing and not connection.lingering:
            self.linger(connection)

    def transmit(self, connection: Connection, data: memoryview) -> int:
        """Send one piece; EPIPE is returned as an error, not raised as a signal (send(2))."""
        return connection.sock.send(data, MSG_NOSIGNAL)

    def linger(self, connection: Connection) -> None:
        """Shut down our side and wait for the client's: closing with unread data sends a reset (RFC 9112, 9.6)."""
        connection.sock.shutdown(SHUT_WR)
        connection.lingering = True
        connection.deadline = min(connection.deadline, time.monotonic() + self.linger_bound)

    def on_end_of_data(self, connection: Connection) -> None:
        """Close a client that has sent its last request; all its answers are sent by then."""
        self.drop(connection)

    def on_hangup(self, connection: Connection) -> None:
        """Close a client that has reset the connection, or closed both sides."""
        number = connection.sock.getsockopt(SOL_SOCKET, SO_ERROR)
        self.fail(connection, OSError(number, os.strerror(number) if number else "hung up"))

    def fail(self, connection: Connection, error: OSError) -> None:
        """Close a client whose socket failed: no data sent to it can arrive any more."""
        if error.errno:
            self.note(connection, error.strerror or "")
        self.drop(connection)

    def close(self) -> None:
        """Release everything."""
        super().close()
        os.close(self.log)
