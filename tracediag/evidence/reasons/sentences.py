"""The sentence for each call in which a thread can stand."""

from __future__ import annotations

from collections.abc import Callable

from tracediag.evidence.blocking import Chain, blocked_by, standing_in
from tracediag.evidence.file_locks import FileLocks
from tracediag.evidence.names import process_name
from tracediag.evidence.questions import question_for
from tracediag.evidence.reasons.others import of_child, of_futex, stacks_of
from tracediag.evidence.reasons.polls import of_poll, polled
from tracediag.evidence.reasons.transfers import asked_to_wait, of_read, of_write, owed
from tracediag.evidence.wait_graph import holders
from tracediag.evidence.waits import Standing, Waited, is_lock, may_be_fifo, on_silent_file
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    CONTROLS,
    FILE_READS,
    FILE_WRITES,
    FUTEXES,
    MQ_RECEIVES,
    OPENS,
    PAUSES,
    QUEUE_WAITS,
    RECEIVES,
    SEMAPHORE_WAITS,
    SENDS,
    SIGNAL_WAITS,
    SLEEPS,
    SYSV_WAITS,
    WAITS,
)
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import listed, plural
from tracediag.trace.values import Structure, number_of, text_of

_NAMED = 3
"""Processes that keep a lock, of which so many are named."""


def reason(standing: Standing) -> str:
    """Return what would end the call, and which process could do that; "" for a call that need not wait."""
    if standing.kernel.known is not None:
        chain = blocked_by(standing.kernel, standing.thread.tid, standing.call.name)
        if chain is not None:
            stacks = chain.links[0].kind in ("threads", "unowned") and standing.process.exit is None
            where = f"; {stacks_of(standing.kernel, standing.process, standing.thread.tid)}" if stacks else ""
            return f"{_resumed(standing.call, chain)}{_asked(standing, chain) or chain.sentence}{where}"
        if standing.call.name == "restart_syscall" and (name := standing_in(standing.kernel, standing.thread.tid)):
            return f"the call is {name}, which strace interrupted; it has a timeout"
    for names, say in _SENTENCES:
        if standing.call.name in names and (said := say(standing)):
            return said
    return _file(standing)


def _resumed(call: Waited, chain: Chain) -> str:
    """Name the call that strace shows as restart_syscall."""
    if call.name != "restart_syscall":
        return ""
    thread = next((each for each in chain.moment.threads() if each.tid == chain.links[0].tid), None)
    return "" if thread is None else f"the call is {thread.call}, which strace interrupted: "


def _asked(standing: Standing, chain: Chain) -> str:
    """Tell a chain of waits with what was asked: /proc shows the other end of a connection or terminal, but not that.

    That a peer waits for requests explains nothing where it was asked to wait. "" where no line shows what was asked.
    """
    held = polled(standing) if standing.call.name in WAITS else standing.held
    if held is None or chain.circle or standing.call.name not in WAITS | FILE_READS | RECEIVES:
        return ""
    if (socket := held.file.socket) is not None:
        asked = asked_to_wait(socket)
        if asked and len(chain.links) > 1 and chain.links[1].kind == "poll":
            return asked
        unanswered = owed(socket)
        return f"{unanswered}: {chain.sentence}" if unanswered else ""
    question = question_for(standing, held.file)
    where = chain.sentence.removeprefix("it waits for ")
    return f"it waits for {question.awaited}: {where}" if question is not None and where.startswith("input on") else ""


def _lock(standing: Standing) -> str:
    if not is_lock(standing.call):
        return ""
    held, kernel = standing.held, standing.kernel
    lock = None if held is None else FileLocks.held_in(kernel).on(held.file, standing.process)
    if lock is None:
        return "it waits until another process releases its lock on the file: lslocks or /proc/locks shows the process"
    keepers = [each for each in holders(lock.file) or () if each is not standing.process]
    owner = "it" if lock.process.current is standing.process else process_name(lock.process)
    heirs = "" if keepers in ([], [lock.process]) else f"; {listed(list(map(process_name, keepers[:_NAMED])))} kept it"
    return f"it waits for the lock on the file that {owner} has taken at line {lock.call.line:,}{heirs}"


def _open(standing: Standing) -> str:
    if not may_be_fifo(standing.call):
        return ""
    other = "reading" if standing.call.has("O_WRONLY") else "writing"
    return (
        f"if the file is a FIFO (named pipe), open waits until another process opens its other end, for {other}; else"
        " the device or file server does not answer: ls -l shows the type"
    )


def _file(standing: Standing) -> str:
    path = on_silent_file(standing.call, standing.process, standing.released)
    if path is None:
        return ""
    return (
        "it waits for the file system alone: where that lasts, the server (NFS, SMB, FUSE, automount) or disk does"
        f" not answer; findmnt -T {path} names it"
    )


def _connect(standing: Standing) -> str:
    if standing.call.has("AF_UNIX"):
        return "the accept queue of the listener is full: the server does not accept"
    return "the connection request gets no answer: the host is down, or a firewall drops it; ss -tn shows SYN-SENT"


def _queue(standing: Standing) -> str:
    if standing.call.name in SEMAPHORE_WAITS:
        return "it waits until another process changes the semaphore: ipcs -s -i ID shows the last one that did"
    if standing.call.name in SYSV_WAITS:
        other = "takes a message from" if standing.call.name == "msgsnd" else "sends a message to"
        return f"it waits until another process {other} the queue: ipcs -q -i ID shows the last ones that did"
    return _posix_queue(standing)


def _posix_queue(standing: Standing) -> str:
    """Say whether a queue of mq_overview(7) is full or empty, and how much it holds where its mq_open shows that."""
    held = standing.held
    opened = None if held is None else held.opened
    name = str(text_of(opened.arg(0)) or "") if isinstance(opened, Syscall) and opened.name == "mq_open" else ""
    queue = f"the queue {name}" if name else "the queue"
    cat = f"cat /dev/mqueue/{name.lstrip('/') or 'NAME'} shows its bytes"
    if standing.call.name in MQ_RECEIVES:
        return f"{queue} is empty: it waits until another process sends a message; {cat}"
    attributes = opened.arg(3) if isinstance(opened, Syscall) and opened.name == "mq_open" else None
    most = number_of(attributes.get("mq_maxmsg")) if isinstance(attributes, Structure) else None
    full = "is full" if most is None else f"is full (mq_open asked for room for {plural(most, 'message')})"
    return f"{queue} {full}: it waits until another process receives a message; {cat}"


_SENTENCES: tuple[tuple[frozenset[str], Callable[[Standing], str]], ...] = (
    (CONTROLS | {"flock"}, _lock),
    (OPENS, _open),
    (FUTEXES, of_futex),
    (CHILD_WAITS, of_child),
    (FILE_READS | RECEIVES, of_read),
    (FILE_WRITES | SENDS, of_write),
    (frozenset({"connect"}), _connect),
    (QUEUE_WAITS, _queue),
    (frozenset({"io_uring_enter"}), lambda _: "it waits until requests of the ring complete: io_uring_enter(2)"),
    (ACCEPTS, lambda _: "it waits for a connection"),
    (WAITS, of_poll),
    (SLEEPS, lambda _: "it sleeps"),
    (PAUSES | SIGNAL_WAITS, lambda _: "it waits for a signal"),
    (frozenset({"restart_syscall"}), lambda _: "a wait with a timeout that was under way when strace attached"),
)
