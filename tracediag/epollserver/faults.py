"""The faults: each is the correct server with one step done wrong, as real programs do it."""

import fcntl
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from select import EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLRDHUP
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from types import MappingProxyType
from typing import NamedTuple

from .connection import Connection
from .server import Server


class Fault(NamedTuple):
    """A fault that the server can be started with."""

    name: str
    summary: str
    """What the server does wrong, from the verb on: "accepts one connection per wakeup ..."."""
    rule: str
    """The name of the rule of tracediag that must find it in the trace."""
    server: type[Server]


_faults: dict[str, Fault] = {}

FAULTS: Mapping[str, Fault] = MappingProxyType(_faults)


def fault(name: str, *, rule: str) -> Callable[[type[Server]], type[Server]]:
    """Register a server as the one that commits the fault `name`; its docstring begins with what it does wrong."""

    def register(server: type[Server]) -> type[Server]:
        verb, *rest = (server.__doc__ or name).partition("\n")[0].rstrip(".").split(" ")
        _faults[name] = Fault(name, " ".join([verb.lower(), *rest]), rule, server)
        return server

    return register


@fault("accept-once", rule="edge-triggered-accept-once")
class AcceptOnce(Server):
    """Accepts one connection per wakeup from an edge-triggered listener.

    One edge may stand for several connections (epoll(7)). The others stay in the backlog, and from then on each
    new connection lets out only the oldest, which may be long dead, while the new one waits.
    """

    listener_events = EPOLLIN | EPOLLET

    def on_listener(self) -> None:
        """Accept one connection, as if each had an event of its own."""
        self.accept_one()


@fault("not-drained", rule="edge-triggered-not-drained")
class NotDrained(Server):
    """Reads once per wakeup from an edge-triggered client, into a small buffer.

    The rest stays unread: the next edge comes only when more data arrive (epoll(7)).
    """

    client_mode = EPOLLET
    receive_size = 512
    turn = 1


@fault("keep-registered", rule="epipe-still-registered")
class KeepRegistered(Server):
    """Drops the answer after a failed send, but neither closes the socket nor removes it from the epoll set.

    The socket stays in error, so a level-triggered epoll_wait never waits again.
    """

    def fail(self, connection: Connection, _error: OSError) -> None:
        """Drop only the answer."""
        connection.output.clear()


@fault("dup-kept", rule="stale-epoll-registration")
class DupKept(Server):
    """Closes a client's descriptor while a duplicate of it stays open.

    The registration belongs to the open file description, not to the number (epoll(7), questions and
    answers): events keep arriving for a closed number, and EPOLL_CTL_DEL can no longer name it.
    """

    def admit(self, sock: socket, peer: str) -> None:
        """Keep a second descriptor, as programs do for a separate output stream."""
        os.dup(sock.fileno())
        super().admit(sock, peer)

    def drop(self, connection: Connection) -> None:
        """Close, assuming that this removes the socket from the set."""
        del self.connections[connection.fd]
        connection.sock.close()

    def dispatch(self, fd: int, events: int) -> None:
        """Try to remove the number, which no connection has any more."""
        if fd in self.connections or fd in {self.listener.fileno(), self.woken}:
            super().dispatch(fd, events)
        else:
            with suppress(OSError):
                self.epoll.unregister(fd)


@fault("clobber-flags", rule="setfl-clobbers-flags")
class ClobberFlags(Server):
    """Sets O_NONBLOCK on the access log by F_SETFL without F_GETFL, which clears O_APPEND.

    F_SETFL sets all status flags at once (fcntl(2)): O_APPEND is gone, and the server overwrites what other
    processes appended to the log.
    """

    def open_log(self, path: str) -> int:
        """Set O_NONBLOCK, and thereby clear every other flag."""
        log = super().open_log(path)
        fcntl.fcntl(log, fcntl.F_SETFL, os.O_NONBLOCK)
        return log


@fault("cloexec-by-setfl", rule="setfl-setfd-confused")
class CloexecBySetfl(Server):
    """Passes FD_CLOEXEC to F_SETFL instead of F_SETFD, so that the listener stays open across exec.

    FD_CLOEXEC is 1, which is O_WRONLY for F_SETFL: the kernel ignores it (fcntl(2)), and every program that the
    server starts inherits the socket.
    """

    def open_listener(self, port: int) -> socket:
        """Mark a listener that is inheritable, as one created in C or by a parent is."""
        listener = super().open_listener(port)
        listener.set_inheritable(True)
        fcntl.fcntl(listener, fcntl.F_SETFL, fcntl.FD_CLOEXEC)
        return listener


@fault("sigpipe", rule="send-without-nosignal")
class Sigpipe(Server):
    """Sends without MSG_NOSIGNAL while SIGPIPE has its default action.

    The first client that disconnects in the middle of its answer kills the server (send(2), signal(7)).
    """

    def __init__(self, port: int, log: str = os.devnull) -> None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        super().__init__(port, log)

    def transmit(self, connection: Connection, data: memoryview) -> int:
        """Send, assuming that an error will be returned."""
        return connection.sock.send(data)


@fault("blocking-client", rule="blocking-fd-in-event-loop")
class BlockingClient(Server):
    """Leaves accepted sockets blocking.

    They do not inherit O_NONBLOCK from the listener on Linux (accept(2)). A client that stops in the middle of its
    request blocks all others: recv waits for it.
    """

    def prepare(self, sock: socket) -> None:
        """Set everything except O_NONBLOCK."""
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)


@fault("ignore-hangup", rule="hangup-ignored-spin")
class IgnoreHangup(Server):
    """Ignores that a client has hung up, and keeps its socket in the epoll set.

    A level-triggered epoll_wait reports EPOLLHUP, EPOLLERR and EPOLLRDHUP until the descriptor is closed or
    removed from the set (epoll(7)).
    """

    def handle(self, connection: Connection, events: int) -> None:
        """Serve only clients that are still connected."""
        if not events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP):
            super().handle(connection, events)


@fault("ignore-eof", rule="eof-ignored-spin")
class IgnoreEof(Server):
    """Treats the end of a client's data as "no data yet".

    recv returns 0 only at the end (recv(2)), and keeps doing so: the descriptor stays readable.
    """

    def on_end_of_data(self, connection: Connection) -> None:
        """Wait for more."""


@fault("double-close", rule="double-close")
class DoubleClose(Server):
    """Closes a client's descriptor twice: with the connection, and again by its number.

    With threads the second close would close whatever has the number by then (close(2)).
    """

    def drop(self, connection: Connection) -> None:
        """Close, and clean up a second time."""
        super().drop(connection)
        with suppress(OSError):
            os.close(connection.fd)


@fault("use-after-close", rule="use-after-close")
class UseAfterClose(Server):
    """Writes to a client's descriptor after closing it.

    EBADF at best; if the number has been reused, the data go to another file or connection.
    """

    def drop(self, connection: Connection) -> None:
        """Close, then send a final message."""
        super().drop(connection)
        with suppress(OSError):
            os.write(connection.fd, b"goodbye\n")


@fault("use-after-reset", rule="use-after-reset")
class UseAfterReset(Server):
    """Keeps sending the pieces of an answer after one of them has failed.

    After EPIPE or ECONNRESET no data can reach the client (send(2)).
    """

    def fail(self, connection: Connection, error: OSError) -> None:
        """Send the rest, ignoring errors."""
        for piece in connection.output:
            with suppress(OSError):
                self.transmit(connection, piece)
        super().fail(connection, error)
