"""The event loop: waits on epoll, accepts clients, enforces deadlines and stops gracefully.

Everything is level-triggered here: an event not handled in one round is reported again in the next
(epoll(7)).
"""

import errno
import os
import select
import socket
import time
from abc import ABC, abstractmethod
from contextlib import suppress

from .connection import Connection

BACKLOG = 1024
# accept(2): a pending error on the new connection is returned by accept; the next connection may be fine.
PASSING = frozenset(
    {
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENONET,
        errno.ENOPROTOOPT,
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EPROTO,
    }
)
SHORTAGE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class EventLoop(ABC):
    """A listener and its connections in one epoll set. Subclasses implement the handling of clients."""

    listener_events = select.EPOLLIN
    stop_bound = 1.0  # seconds for answers in progress after a stop is requested
    shortage_pause = 0.5  # seconds without accepting after EMFILE

    def __init__(self, port: int) -> None:
        self.connections: dict[int, Connection] = {}
        self.stopping = False
        self.paused_until: float | None = None
        self.epoll = select.epoll()
        self.woken, self.wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.listener = self.open_listener(port)
        self.listener.setblocking(False)
        self.epoll.register(self.woken, select.EPOLLIN)
        self.epoll.register(self.listener, self.listener_events)

    def open_listener(self, port: int) -> socket.socket:
        """Open the socket that clients connect to."""
        return socket.create_server(("127.0.0.1", port), backlog=BACKLOG)

    @property
    def port(self) -> int:
        """The listening port."""
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        """Serve until a stop is requested and the answers in progress are sent."""
        while self.connections or not self.stopping:
            for fd, events in self.epoll.poll(self.patience()):
                self.dispatch(fd, events)
            # Only now, so that no descriptor is closed while an event for it is pending.
            self.expire()

    def patience(self) -> float | None:
        """Return how long the loop may wait: until the next deadline, or None for no limit."""
        deadlines = [connection.deadline for connection in self.connections.values()]
        if self.paused_until is not None:
            deadlines.append(self.paused_until)
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def dispatch(self, fd: int, events: int) -> None:
        """Dispatch one event to its handler."""
        if fd == self.woken:
            os.read(fd, 64)
            self.stopping = True
        elif fd == self.listener.fileno():
            self.on_listener()
        else:
            self.on_client(self.connections[fd], events)

    def on_listener(self) -> None:
        """Accept every pending connection."""
        while self.accept_one():
            pass

    def accept_one(self) -> bool:
        """Accept one connection; return whether more may be pending."""
        try:
            sock, address = self.listener.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            return self.on_accept_error(error)
        try:
            self.admit(sock, f"{address[0]}:{address[1]}")
        except OSError:  # no room in the epoll set (epoll_ctl(2)): only this client is refused
            sock.close()
        return True

    def on_accept_error(self, error: OSError) -> bool:
        """Skip a connection that was aborted in the queue; on EMFILE leave the others there."""
        if error.errno in PASSING:
            return True
        if error.errno not in SHORTAGE:
            raise error
        self.pause()
        return False

    def pause(self) -> None:
        """Stop watching the listener for a while, lest the loop be woken for connections that it cannot accept."""
        self.paused_until = time.monotonic() + self.shortage_pause
        self.epoll.modify(self.listener, 0)

    def resume(self) -> None:
        """Watch the listener again."""
        self.paused_until = None
        self.epoll.modify(self.listener, self.listener_events)

    def expire(self) -> None:
        """Do what is due between two rounds: drop idle clients, begin a stop, resume accepting."""
        now = time.monotonic()
        for connection in [late for late in self.connections.values() if late.deadline <= now]:
            self.drop(connection)
        if self.stopping and self.listener.fileno() >= 0:
            self.begin_stop()
        elif self.paused_until is not None and self.paused_until <= now:
            self.resume()

    def begin_stop(self) -> None:
        """Close the listener and the idle connections; the others get a short time for their answers."""
        self.paused_until = None
        self.epoll.unregister(self.listener)
        self.listener.close()
        deadline = time.monotonic() + self.stop_bound
        for connection in list(self.connections.values()):
            connection.closing = True
            connection.deadline = min(connection.deadline, deadline)
            if not connection.output:
                self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Remove a connection from the set, then close it."""
        del self.connections[connection.fd]
        self.epoll.unregister(connection.fd)
        connection.sock.close()
        if self.paused_until is not None:
            self.paused_until = 0.0  # a descriptor is free again

    def close(self) -> None:
        """Release everything."""
        for connection in list(self.connections.values()):
            self.drop(connection)
        self.listener.close()
        self.epoll.close()
        for fd in (self.woken, self.wakeup):
            os.close(fd)

    def request_stop(self) -> None:
        """Request a stop; may be called from another thread."""
        with suppress(BlockingIOError):  # a full pipe wakes the loop as well
            os.write(self.wakeup, b"\0")

    @abstractmethod
    def admit(self, sock: socket.socket, peer: str) -> None:
        """Set up a new client."""

    @abstractmethod
    def on_client(self, connection: Connection, events: int) -> None:
        """Handle a client's events."""
