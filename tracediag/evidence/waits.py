"""What would end the call in which a thread stands, and which process could do that: one sentence for the reader.

The sentences say what the manual says of the call: flock(2), fcntl_locking(2), fifo(7), futex(2), wait(2), pipe(7),
connect(2), semop(2), mq_receive(3). What only the living system knows comes with the command that shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import msgspec

from tracediag.evidence.blocking import Chain, blocked_by, standing_in
from tracediag.evidence.names import process_name, program_name
from tracediag.kernel import Kernel
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.socket import Socket
from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    CONTROLS,
    EPOLL_WAITS,
    FILE_READS,
    FILE_WRITES,
    FUTEXES,
    OPENS,
    PAUSES,
    QUEUE_WAITS,
    RECEIVES,
    SEMAPHORE_WAITS,
    SENDS,
    SIGNAL_WAITS,
    SLEEPS,
    WAITS,
)
from tracediag.trace.events import Begun, Syscall
from tracediag.trace.quantities import every
from tracediag.trace.values import names_of, note_of, number_of

Waited = Syscall | Begun
_NAMED = 3
"""Processes that are named as holders of an end."""
_COUNTED = 256
"""Threads of a process; of more it is not said what all do, since each of them would be compared with all."""
_CHAIN = 8
"""Children that are followed down to the one that does not wait for another."""
_SET_LOCKS = ("F_SETLKW", "F_SETLKW64", "F_OFD_SETLKW")
_NO_FIFO = ("O_NONBLOCK", "O_DIRECTORY", "O_PATH", "O_TMPFILE")
_CONTENDED = 2
"""The value of a locked mutex with waiters."""
_STACKS = "gdb -p {} -batch -ex 'thread apply all bt'"
_DUMPS = {"python": "py-spy dump --pid {}", "java": "jstack {}", "dotnet": "dotnet-stack report -p {}"}
"""What shows the stacks of a program in its own language, by the beginning of the name of its program."""


class Standing(msgspec.Struct, frozen=True):
    """A thread that stands in a call, at the end of the trace or of its process."""

    kernel: Kernel
    process: Process
    thread: Thread
    call: Waited
    released: tuple[Descriptor, ...] = ()
    """The descriptors that the end of its process released."""

    @property
    def held(self) -> Descriptor | None:
        """The descriptor that is the first argument."""
        number = self.call.number(0)
        gone = (descriptor for descriptor in self.released if descriptor.number == number)
        return self.thread.inside_descriptor or self.process.table.open.get(number or 0) or next(gone, None)


def reason(standing: Standing) -> str:
    """Return what would end the call, and which process could do that; "" for a call that need not wait."""
    if standing.kernel.known is not None:
        chain = blocked_by(standing.kernel, standing.thread.tid, standing.call.name)
        if chain is not None:
            return f"{_resumed(standing.call, chain)}{chain.sentence}"
        if standing.call.name == "restart_syscall" and (name := standing_in(standing.kernel, standing.thread.tid)):
            return f"the call is {name}, which strace interrupted; it has a timeout"
    for names, say in _SENTENCES:
        if standing.call.name in names:
            return say(standing)
    return ""


def _resumed(call: Waited, chain: Chain) -> str:
    """Name the call that strace shows as restart_syscall."""
    if call.name != "restart_syscall":
        return ""
    thread = next((each for each in chain.moment.threads() if each.tid == chain.links[0].tid), None)
    return "" if thread is None else f"the call is {thread.call}, which strace interrupted: "


def is_lock(call: Waited) -> bool:
    """Whether the call waits for a file lock: flock without LOCK_NB, fcntl with F_SETLKW or F_OFD_SETLKW."""
    if call.name == "flock":
        return not call.has("LOCK_NB") and not call.has("LOCK_UN")
    return call.name in CONTROLS and any(map(call.has, _SET_LOCKS))


def may_be_fifo(call: Waited) -> bool:
    """Whether an open that has not returned may be that of a FIFO: only one end, non-blocking and no directory."""
    return (call.has("O_RDONLY") or call.has("O_WRONLY")) and not any(map(call.has, _NO_FIFO))


def is_endless_futex(call: Waited) -> bool:
    """Whether only another thread of the process can end the call: FUTEX_WAIT on a private futex without a timeout."""
    asked = " ".join(names_of(call.arg(1))) if call.name in FUTEXES else ""
    return "WAIT" in asked and "PRIVATE" in asked and _endless(call)


def joined(call: Waited) -> int | None:
    """Return the thread that pthread_join waits for, by its tid: the kernel clears the value, a tid, when it ends.

    glibc waits so on a shared futex without a timeout; musl on a private one.
    """
    asked = " ".join(names_of(call.arg(1))) if call.name in FUTEXES else ""
    value = call.number(2)
    return value if "WAIT" in asked and value is not None and value > _CONTENDED and _endless(call) else None


def is_mutex(call: Waited) -> bool:
    """Whether a futex wait is one for a mutex that another thread holds, by its value: 2 in glibc and Rust.

    Waits for a condition, a semaphore (also a lock of Python) or the end of a thread have other values, and an idle
    thread stands in them.
    """
    return call.name in FUTEXES and call.number(2) == _CONTENDED


def _endless(call: Waited) -> bool:
    """Whether a futex wait has no timeout: the fourth argument is NULL."""
    return number_of(call.arg(3)) == 0


def _lock(standing: Standing) -> str:
    if not is_lock(standing.call):
        return ""
    return "it waits until another process releases its lock on the file: lslocks or /proc/locks shows the process"


def _open(standing: Standing) -> str:
    if not may_be_fifo(standing.call):
        return ""
    other = "reading" if standing.call.has("O_WRONLY") else "writing"
    return (
        f"if the file is a FIFO (named pipe), open waits until another process opens its other end, for {other}; else"
        " the device or file server does not answer: ls -l shows the type"
    )


def _futex(standing: Standing) -> str:
    asked = " ".join(names_of(standing.call.arg(1)))
    if "WAKE" in asked and "WAIT" not in asked:
        return ""
    threads = list(standing.process.threads)
    if len(threads) == 1:
        known = standing.kernel.process_table.threads.values()
        threads = [each for each in known if each.process.started is None] or threads
    del threads[_COUNTED:]
    waiting = (
        0
        if len(threads) == _COUNTED
        else sum(each.pending is not None and each.pending.name in FUTEXES for each in threads)
    )
    if len(threads) > 1 and waiting == len(threads):
        ending = f"{every(waiting)} threads of the trace wait in futex: a deadlock, or the program has no work"
    else:
        other = "another thread" if "PRIVATE" in asked else "another thread, or another process,"
        ending = f"it waits until {other} wakes it: a lock is released, a condition signalled or a thread ends"
    ended = joined(standing.call)
    if ended is not None and any(each.tid == ended for each in standing.kernel.process_table.threads.values()):
        ending = f"it waits until thread {ended} ends (pthread_join)"
    timed = "" if _endless(standing.call) else "; the wait has a timeout"
    stacks = f"; {_stacks(standing.process)}" if standing.process.exit is None else ""
    return f"{ending}{timed}{stacks}"


def _stacks(process: Process) -> str:
    """Return what to type to see where the threads of a process are, in the language of its program."""
    program = program_name(process.program) or ""
    command = next((say for name, say in _DUMPS.items() if program.startswith(name)), _STACKS)
    return f"{command.format(process.pid or 'PID')} shows where"


def _child(standing: Standing) -> str:
    number = standing.call.number(1 if standing.call.name == "waitid" else 0)
    named = standing.process.children.get(number) if number is not None and number > 0 else None
    alive = [child for child in standing.process.children.values() if child.exit is None]
    child = named or (alive[0] if len(alive) == 1 else None)
    if child is None:
        more = f", of which {len(alive)} run" if len(alive) > 1 else ""
        return f"it waits until a child ends{more}"
    for _ in range(_CHAIN):
        below = _waited_child(child)
        if below is None:
            break
        child = below
    call = next((each.pending for each in child.threads if each.pending is not None), None)
    where = "" if call is None else f", which stands in {call.name} since line {call.line:,}"
    return f"it waits until child {process_name(child)} ends{where}"


def _waited_child(process: Process) -> Process | None:
    """Return the child that a process waits for itself."""
    for thread in process.threads:
        call = thread.pending
        if call is not None and call.name in CHILD_WAITS:
            alive = [child for child in process.children.values() if child.exit is None]
            return process.children.get(call.number(0) or 0) or (alive[0] if len(alive) == 1 else None)
    return None


def _read(standing: Standing) -> str:
    held = standing.held
    if held is None:  # closed since: the note of `-yy` still tells the peer
        peer = (note_of(standing.call.arg(0)) or "").partition("->")[2].rstrip("]")
        return f"it waits for data: the peer {peer} sends nothing" if peer else "it waits for data"
    file = held.file
    if file.socket is not None:
        return _answer(file.socket)
    if file.pipe is not None or file.kind is Kind.PIPE:
        ends = _ends(standing, file)
        return f"it waits until data is written into the pipe or all its write ends are closed{ends}"
    if file.kind is Kind.DEVICE and (file.path or "").startswith(("/dev/tty", "/dev/pts", "/dev/console")):
        return "it waits for input on the terminal"
    return f"it waits until fd {held.number} has something to read"


def _answer(socket: Socket) -> str:
    peer = f"peer {socket.peer}" if socket.peer else "peer"
    if socket.last_write is not None and (socket.last_read is None or socket.last_read.line < socket.last_write.line):
        sent = socket.last_write.line
        return f"it waits for an answer: the {peer} sends nothing after the request at line {sent:,}"
    return f"it waits for data: the {peer} sends nothing"


def _ends(standing: Standing, file: OpenFile) -> str:
    """Name the processes that have the other end of a pipe open."""
    other = None if file.pipe is None else file.pipe.other
    if other is None:
        return ""
    holders = list(
        islice(
            (each for each in standing.kernel.processes if each.exit is None and each.table.numbers_of(other)),
            _NAMED + 1,
        )
    )
    if not holders and standing.process.exit is not None:
        return ""  # those that had it open may have ended by the same signal
    if not holders:
        return "; no traced process has the other end open"
    names = ", ".join(process_name(each) for each in holders[:_NAMED])
    return f"; the other end is open in {names}{' and others' if len(holders) > _NAMED else ''}"


def _write(standing: Standing) -> str:
    held = standing.held
    if held is None:
        return "it waits until the other end reads"
    if held.file.pipe is not None or held.file.kind is Kind.PIPE:
        return f"the pipe is full: it waits until the other end is read or closed{_ends(standing, held.file)}"
    if held.file.socket is not None:
        peer = f"peer {held.file.socket.peer}" if held.file.socket.peer else "peer"
        return f"the send buffer is full: it waits until the {peer} reads"
    return f"it waits until fd {held.number} accepts the data"


def _connect(standing: Standing) -> str:
    if standing.call.has("AF_UNIX"):
        return "the accept queue of the listener is full: the server does not accept"
    return "the connection request gets no answer: the host is down, or a firewall drops it; ss -tn shows SYN-SENT"


def _queue(standing: Standing) -> str:
    if standing.call.name in SEMAPHORE_WAITS:
        return "it waits until another process changes the semaphore: ipcs -s -i ID shows the last one that did"
    return "it waits until another process sends to, or takes from, the queue: ipcs -q, /dev/mqueue"


_SENTENCES: tuple[tuple[frozenset[str], Callable[[Standing], str]], ...] = (
    (CONTROLS | {"flock"}, _lock),
    (OPENS, _open),
    (FUTEXES, _futex),
    (CHILD_WAITS, _child),
    (FILE_READS | RECEIVES, _read),
    (FILE_WRITES | SENDS, _write),
    (frozenset({"connect"}), _connect),
    (QUEUE_WAITS, _queue),
    (frozenset({"io_uring_enter"}), lambda _: "it waits until requests of the ring complete: io_uring_enter(2)"),
    (ACCEPTS, lambda _: "it waits for a connection"),
    (EPOLL_WAITS, lambda _: "it waits until a descriptor of the epoll set is ready"),
    (WAITS, lambda _: "it waits until one of them is ready"),
    (SLEEPS, lambda _: "it sleeps"),
    (PAUSES | SIGNAL_WAITS, lambda _: "it waits for a signal"),
    (frozenset({"restart_syscall"}), lambda _: "a wait with a timeout that was under way when strace attached"),
)
