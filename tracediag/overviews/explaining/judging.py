"""Whether the result of a call is normal, and what it means for the program."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.evidence.complaints import meaning
from tracediag.evidence.weights import harmless
from tracediag.kernel.descriptor import Descriptor
from tracediag.results.explanation import Verdict
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    EPOLL_WAITS,
    FORKS,
    FUTEXES,
    LOOKS,
    MAKERS,
    MAPS,
    MKDIRS,
    OPENS,
    POLLS,
    POSITIONED_READS,
    POSITIONED_WRITES,
    READS,
    SEEKS,
    SELECTS,
    SIGNAL_WAITS,
    WRITES,
)
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import plural, size

Judgement = tuple[str, Verdict, str]
"""What the result means, whether it is normal, and why."""
_ADDRESSES = MAPS | {"brk", "mremap", "shmat"}
"""Calls that return an address."""
_NORMAL, _NOTABLE, _FAILED = Verdict.NORMAL, Verdict.NOTABLE, Verdict.FAILED

_ALL_READS = READS | POSITIONED_READS
_ALL_WRITES = WRITES | POSITIONED_WRITES

_FAILURES: tuple[tuple[str, frozenset[str] | None, Verdict, str], ...] = (
    ("EINPROGRESS", frozenset({"connect"}), _NORMAL,
     "the descriptor is non-blocking: the connection is being made; wait until it is writable, then ask SO_ERROR"),
    ("EALREADY", None, _NORMAL, "an earlier request is still in progress"),
    ("EAGAIN", FUTEXES, _NORMAL, "the value had changed before the thread could sleep: it looks again"),
    ("ETIMEDOUT", FUTEXES | POLLS | SIGNAL_WAITS, _NORMAL, "the timeout that the program gave has passed"),
    ("ECHILD", CHILD_WAITS, _NORMAL, "there is no child left to wait for"),
    ("ENOTTY", frozenset({"ioctl"}), _NORMAL, "the test whether the descriptor is a terminal: it is not"),
    ("ESPIPE", SEEKS, _NORMAL, "pipes, sockets and terminals have no offset; the program may only have asked"),
    ("EEXIST", MKDIRS, _NORMAL, "the directory is there already, as `mkdir -p` and its like expect"),
    ("EEXIST", OPENS, _NOTABLE, "O_EXCL: the file exists already, often a lock file or another name is to be tried"),
    ("ESRCH", None, _NOTABLE, "no such process is left; with signal 0 this is how a program asks"),
    ("EINTR", None, _NOTABLE, "a signal handler ran during the call; the program has to call again"),
    ("EPIPE", None, _FAILED, "the other end is closed: nothing will read this; without MSG_NOSIGNAL, SIGPIPE follows"),
    ("ECONNRESET", None, _FAILED, "the peer has reset the connection: it died, or closed with unread data"),
    ("ECONNREFUSED", None, _FAILED, "nothing listens at that address"),
    ("EADDRINUSE", None, _FAILED, "another socket has that address, or it is in TIME_WAIT and SO_REUSEADDR is not set"),
    ("EBADF", None, _NOTABLE, "the number is not open: harmless in a loop that closes everything, else a bug"),
    ("EMFILE", None, _FAILED, "the process has as many descriptors as RLIMIT_NOFILE allows"),
    ("EACCES", None, _FAILED, "the permissions forbid it"),
    ("ENOSPC", None, _FAILED, "the device, or the limit of watches, is full"),
    ("ENOTCONN", None, _NOTABLE, "the socket is not connected, or no longer"),
    ("ENOSYS", None, _NOTABLE, "the kernel has no such call; libraries then use an older one"),
    ("EFAULT", None, _FAILED, "an address is not valid memory of the process"),
)  # fmt: skip


def judge(call: Syscall, descriptor: Descriptor | None) -> Judgement:
    """Return what the result of a call means; `descriptor` is the one that it was made on."""
    if not call.returned:
        return "the call has not returned where the trace ends", Verdict.PENDING, "the thread is still inside it"
    if call.errno is not None:
        return _failure(call, descriptor)
    if call.result is None:
        return "the call does not return", _NORMAL, "a call that ends the thread or its program has no result"
    for names, say in _SUCCESSES:
        if call.name in names:
            return say(call)
    shown = call.detail or (hex(call.result) if call.name in _ADDRESSES else str(call.result))
    return (f"returned {shown}" if call.result else "success"), _NORMAL, "the call succeeded"


def _failure(call: Syscall, descriptor: Descriptor | None) -> Judgement:
    errno = call.errno or ""
    what = f"{errno}: {meaning(errno)}"
    if errno.startswith("ERESTART"):
        return what, _NORMAL, "a signal interrupted the call; the kernel restarts it, or turns this into EINTR"
    if errno in ("EAGAIN", "EWOULDBLOCK") and call.name not in FUTEXES:
        return (what, *_not_ready(call, descriptor))
    for name, calls, verdict, reason in _FAILURES:
        if name == errno and (calls is None or call.name in calls):
            return what, verdict, reason
    if errno in ("ENOENT", "ENOTDIR") and (call.name in LOOKS | OPENS or harmless(call)):
        return what, _NOTABLE, "normal in a search that tries several places; a failure if this was the last one"
    if harmless(call):
        return what, _NORMAL, "this failure is part of normal work"
    return what, _FAILED, "a program has to handle this"


def _not_ready(call: Syscall, descriptor: Descriptor | None) -> tuple[Verdict, str]:
    doing = "no connection waits" if call.name in ACCEPTS else "there is no data yet"
    doing = "there is no room yet" if call.name in _ALL_WRITES else doing
    flags = None if descriptor is None else descriptor.file.flags
    if call.has("MSG_DONTWAIT") or (flags is not None and flags.has("O_NONBLOCK")):
        return _NORMAL, f"the call does not block, and {doing}: an event loop now waits until the descriptor is ready"
    if flags is not None and flags.has("O_NONBLOCK") is False:
        return _NOTABLE, f"the descriptor blocks: a timeout (SO_RCVTIMEO, SO_SNDTIMEO) has passed, and {doing}"
    return _NORMAL, f"{doing}; only a call that does not block fails so"


def _read(call: Syscall) -> Judgement:
    count, asked = call.result or 0, call.number("count")
    if count == 0 and asked != 0:
        return "0 bytes: end of file, or the peer has closed its side", _NORMAL, "the last read of every stream gives 0"
    short = asked is not None and count < asked
    why = "fewer than asked for, as reads may return; only 0 means the end" if short else "the call succeeded"
    return size(count), _NORMAL, why


def _write(call: Syscall) -> Judgement:
    asked = call.number("count") or call.number("len")
    count = call.result or 0
    if asked is not None and count < asked and call.name not in ("writev", "sendmsg", "sendmmsg"):
        return f"{count:,} of {size(asked)}", _NOTABLE, "a short write: the program has to write the rest"
    return size(count), _NORMAL, "the kernel has taken the data; the receiver need not have it yet"


def _wait(call: Syscall) -> Judgement:
    if not call.result:
        return "0: the timeout has passed and nothing is ready", _NORMAL, "the program now does what is due"
    return f"{plural(call.result, 'descriptor')} ready", _NORMAL, "the program should now serve each of them"


def _fork(call: Syscall) -> Judgement:
    kind = "thread" if call.has("CLONE_THREAD") else "child"
    return (f"the {kind} is {call.result}" if call.result else "0: this is the child"), _NORMAL, "the call succeeded"


def _child(call: Syscall) -> Judgement:
    if not call.result and call.name != "waitid":
        return "0: no child has changed state (WNOHANG)", _NORMAL, "the program only asked"
    return f"child {call.result or ''}".strip() + " is reaped", _NORMAL, "its status is in the second argument"


def _made(call: Syscall) -> Judgement:
    return f"fd {call.result} is created", _NORMAL, "the call succeeded"


_SUCCESSES: tuple[tuple[frozenset[str], Callable[[Syscall], Judgement]], ...] = (
    (frozenset(_ALL_READS - {"recvmmsg"}), _read),
    (frozenset(_ALL_WRITES), _write),
    (frozenset(EPOLL_WAITS | POLLS | SELECTS), _wait),
    (FORKS, _fork),
    (CHILD_WAITS, _child),
    (frozenset(MAKERS | {"socketpair"}), _made),
)
