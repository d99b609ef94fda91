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
    rule: str
    """The name of the rule of tracediag that must find it in the trace."""
    server: type[Server]


_faults: dict[str, Fault] = {}

FAULTS: Mapping[str, Fault] = MappingProxyType(_faults)


def fault(name: str, *, rule: str) -> Callable[[type[Server]], type[Server]]:
    """Register a server as the one that commits the fault `name`; its docstring begins with the summary."""

    def register(server: type[Server]) -> type[Server]:
        summary = (server.__doc__ or name).partition("\n")[0].rstrip(".")
        _faults[name] = Fault(name, summary, rule, server)
        return server

    return register


@fault("accept-once", rule="edge-triggered-accept-once")
class AcceptOnce(Server):
    """An edge-triggered listener is accepted from once per wakeup.

    One edge may stand for several connections (epoll(7)). The others stay in the queue, and from then on each
    arrival releases only the oldest, which may be long dead, while the newcomer waits.
    """

    listener_events = EPOLLIN | EPOLLET

    def on_listener(self) -> None:
        """Accept one connection, as if there were an event for each."""
        self.accept_one()


@fault("not-drained", rule="edge-triggered-not-drained")
class NotDrained(Server):
    """An edge-triggered client is read from once per wakeup, into a small buffer.

    What did not fit stays unread: there is no further edge until more arrives (epoll(7)).
    """

    client_mode = EPOLLET
    receive_size = 512
    turn = 1


@fault("keep-registered", rule="epipe-still-registered")
class KeepRegistered(Server):
    """A failed send ends the answer, but the socket is neither closed nor taken out of the set.

    It is in error for good, so a level-triggered epoll_wait never waits again.
    """

    def fail(self, connection: Connection, _error: OSError) -> None:
        """Drop only the answer."""
        connection.output.clear()


@fault("dup-kept", rule="stale-epoll-registration")
class DupKept(Server):
    """A duplicate of the client's descriptor outlives its close.

    The registration belongs to the open file description, not to the number (epoll(7), questions and
    answers): events go on for a number that is closed, and EPOLL_CTL_DEL cannot name it any more.
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
    """The access log is made non-blocking by F_SETFL without F_GETFL.

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
    """The listener is to be closed on exec, but F_SETFL is given the flag of F_SETFD.

    FD_CLOEXEC is 1, which is O_WRONLY for F_SETFL: the kernel ignores it (fcntl(2)), and every program that
    is started inherits the socket.
    """

    def open_listener(self, port: int) -> socket:
        """Mark a listener that is inheritable, as one created in C or by a parent is."""
        listener = super().open_listener(port)
        listener.set_inheritable(True)
        fcntl.fcntl(listener, fcntl.F_SETFL, fcntl.FD_CLOEXEC)
        return listener


@fault("sigpipe", rule="send-without-nosignal")
class Sigpipe(Server):
    """SIGPIPE has its default action, and answers are sent without MSG_NOSIGNAL.

    The first client that leaves in the middle of its answer kills the server (send(2), signal(7)).
    """

    def __init__(self, port: int, log: str = os.devnull) -> None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        super().__init__(port, log)

    def transmit(self, connection: Connection, data: memoryview) -> int:
        """Send, assuming that an error will be returned."""
        return connection.sock.send(data)


@fault("blocking-client", rule="blocking-fd-in-event-loop")
class BlockingClient(Server):
    """Accepted sockets are left blocking.

    They do not inherit O_NONBLOCK from the listener on Linux (accept(2)). One client that stops in the middle
    of its request stops everybody: recv waits for it.
    """

    def prepare(self, sock: socket) -> None:
        """Set everything except O_NONBLOCK."""
        sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)


@fault("ignore-hangup", rule="hangup-ignored-spin")
class IgnoreHangup(Server):
    """A client that has hung up is left alone, as if nothing remained to be done for it.

    A level-triggered epoll_wait reports EPOLLHUP, EPOLLERR and EPOLLRDHUP until the descriptor is closed or
    taken out of the set (epoll(7)).
    """

    def handle(self, connection: Connection, events: int) -> None:
        """Serve only clients that are still connected."""
        if not events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP):
            super().handle(connection, events)


@fault("ignore-eof", rule="eof-ignored-spin")
class IgnoreEof(Server):
    """The end of a client's data is taken for "nothing yet".

    recv returns 0 only at the end (recv(2)), and keeps doing so: the descriptor stays readable.
    """

    def on_end_of_data(self, connection: Connection) -> None:
        """Wait for more."""


@fault("double-close", rule="double-close")
class DoubleClose(Server):
    """A client's descriptor is closed by the connection, and again by the server that remembers its number.

    With threads the second close would close whatever has the number by then (close(2)).
    """

    def drop(self, connection: Connection) -> None:
        """Close, and clean up a second time."""
        super().drop(connection)
        with suppress(OSError):
            os.close(connection.fd)


@fault("use-after-close", rule="use-after-close")
class UseAfterClose(Server):
    """A client's descriptor is written to after its close.

    EBADF at best; if the number has been given out again, the farewell reaches a stranger.
    """

    def drop(self, connection: Connection) -> None:
        """Close, then send a final message."""
        super().drop(connection)
        with suppress(OSError):
            os.write(connection.fd, b"goodbye\n")


@fault("use-after-reset", rule="use-after-reset")
class UseAfterReset(Server):
    """The rest of an answer is sent piece by piece although a piece before has failed.

    After EPIPE or ECONNRESET no data can reach the client (send(2)).
    """

    def fail(self, connection: Connection, error: OSError) -> None:
        """Send the rest, ignoring errors."""
        for piece in connection.output:
            with suppress(OSError):
                self.transmit(connection, piece)
        super().fail(connection, error)
