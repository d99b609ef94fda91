"""Requests on connections that this side made: what counts as one, and which waits are for its answer."""

from __future__ import annotations

import msgspec

from tracediag.evidence.dns import looks_like_query
from tracediag.evidence.peers import holders_of
from tracediag.evidence.runs import Run
from tracediag.evidence.statements import Statement, statement_in
from tracediag.evidence.waiters import blocked_in, waiting_on
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.socket import Socket
from tracediag.trace.calls import READS
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.patterns import lazy_pattern

SENDS = ("write", "writev", "send", "sendto", "sendmsg")

_REQUEST = lazy_pattern(
    r'^\w+(?:<[^"]*>)?, (?:\[\{(?:iov_base=)?)?"(?:GET|POST|PUT|HEAD|DELETE|PATCH|OPTIONS|CONNECT) '
)

_ONCE = frozenset({"EPOLLONESHOT", "EPOLLET"})
"""With these a wait may not report what has arrived: epoll(7)."""

_LATE = 1.0
"""Seconds after the end of a wait that a server was asked for, in which its answer may still arrive."""
_ASK = {
    "PostgreSQL": "SELECT pid, wait_event_type, wait_event, query FROM pg_stat_activity",
    "MySQL": "SHOW FULL PROCESSLIST",
}
"""What lists the statements that a server runs."""
_IMPATIENT = 0.1
"""Seconds below which a program that closes the connection did not mean to wait."""


class Request(msgspec.Struct):
    """Data sent on a connection and not answered yet."""

    process: Process
    descriptor: Descriptor
    call: Syscall | Begun
    """The send; in a few pasted lines without a send, the wait itself."""
    answered_before: bool
    waits: Run | None = None
    """The waits for the answer that timed out."""
    waited: float = 0.0


def asks(socket: Socket, call: Syscall) -> bool:
    """Whether a send on this socket is likely a request: on a connection that this side made."""
    if socket.accepted is not None or socket.accepting or socket.stream is False:
        return False
    if socket.stream is None and ((socket.peer or "").endswith(":53") or looks_like_query(call)):
        return False  # dns-no-answer
    if socket.connected is not None:
        # Both ends of a socketpair write as they like: only a text that asks is a request.
        return socket.connected.name == "connect" or _REQUEST.match(call.body) is not None
    # The connect is outside the trace: the peer was accepted, or has a name, as that of a client's unix socket has.
    peer = None if socket.other is None else socket.other.socket
    if peer is not None and peer.accepted is not None:
        return True
    named = socket.peer is not None and (socket.peer.startswith(("/", "@")))
    return named or _REQUEST.match(call.body) is not None


def goes_on(request: Request, call: Syscall) -> bool:
    """Whether a further message after a wait without an answer shows that the one before it wanted none.

    So it is between a client and a window system: most requests have no reply. A retry sends the same again.
    """
    if request.waits is None or not request.answered_before or statement_of(request) is not None:
        return False
    return call.result is not None and call.result > 0 and call.body != request.call.body


def waits_for(request: Request, numbers: frozenset[int] | None) -> bool | None:
    """Whether a wait is for this connection; True also through an epoll set, None where unknown."""
    if numbers is not None:
        return request.descriptor.number in numbers
    return True if request.descriptor.file.registrations else None


def is_idle(request: Request, standing: Syscall | Begun | None) -> bool:
    """Whether the program may just wait for news: every request that wants an answer has one, as statements do."""
    directly = standing is not None and standing.name in READS
    return request.answered_before and not directly and statement_of(request) is None


def is_served(request: Request) -> bool:
    """Whether the trace shows that the peer answers, or that the wait in which the peer stands will report the request.

    Then the answer is late only because the trace ends there.
    """
    other = request.descriptor.file.other
    if other is None or other.socket is None:
        return False
    reply, read = other.socket.last_write, other.socket.last_read
    if reply is not None and reply.line > request.call.line:
        return True
    if read is not None and read.line > request.call.line:
        return False  # it has the request, and waits for something else
    threads = [thread for process in holders_of(other) for thread in process.threads]
    watching = (entry for entry in other.registrations if entry.events is None or entry.events.isdisjoint(_ONCE))
    return any(waiting_on(entry.epoll, thread) is not None for entry in watching for thread in threads)


def wait_of(thread: Thread) -> Syscall | Begun | None:
    """Return the call that blocks a thread, if it may wait for an answer there."""
    call = blocked_in(thread)
    return None if call is None or call.name in ("accept", "accept4", "wait4", "exit_group") else call


def seconds_since(request: Request, kernel: Kernel) -> float | None:
    """Return the time since the request was sent; None without times."""
    last = kernel.last_time
    return None if last is None or request.call.time is None else last - request.call.time


def is_look(call: Syscall) -> bool:
    """Whether a wait only polled: timeout 0."""
    return (call.name == "poll" and call.number(2) == 0) or (call.name == "epoll_wait" and call.number(3) == 0)


def is_impatient(request: Request, close: Syscall) -> bool:
    """Whether the connection was closed almost immediately, by the clock or by the timeouts of the waits."""
    sent = request.call.time
    if sent is not None and close.time is not None:
        return close.time - sent < _IMPATIENT
    waits = request.waits
    if waits is None or waits.times != 1 or waits.first.name not in ("poll", "epoll_wait", "epoll_pwait"):
        return False
    allowed = waits.first.number(2 if waits.first.name == "poll" else 3)
    return allowed is not None and 0 <= allowed < _IMPATIENT * 1000


def statement_of(request: Request) -> Statement | None:
    """Return the statement of a request to a database; None for any other."""
    call = request.call
    return statement_in(call) if isinstance(call, Syscall) and call.name in SENDS else None


def waits_as_asked(request: Request, kernel: Kernel) -> bool:
    """Whether the request asks the peer to wait, as BLPOP does, and its timeout is not over: no answer is due.

    Where strace shows no timeout, or the trace no times, nothing contradicts that.
    """
    statement = statement_of(request)
    if statement is None or not statement.until:
        return False
    waited = seconds_since(request, kernel)
    return statement.longest is None or waited is None or waited <= statement.longest + _LATE


def title_of(statement: Statement | None) -> str:
    """Name what the peer does not answer."""
    if statement is None:
        return "the request"
    return f"the {'command' if statement.server == 'Redis' else 'statement'} {statement.text}"


def question_to(statement: Statement | None) -> str | None:
    """Return what to ask the server to learn what a statement waits for; None where it would not answer that either."""
    return None if statement is None else _ASK.get(statement.server)
