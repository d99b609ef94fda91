"""The processes that ran before the trace began, as a snapshot of /proc shows them.

A process enters the model with its first event: its descriptors, epoll sets, signal handlers and working directory are
then those of the snapshot. The snapshot is some milliseconds older than the first event; a note of `-y` that
contradicts it wins.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.endpoints import Endpoints
from tracediag.kernel.epoll import EpollSet, Registration
from tracediag.kernel.flags import decode
from tracediag.kernel.learning import learn
from tracediag.kernel.place import Place
from tracediag.kernel.process import Process
from tracediag.kernel.signals import Disposition, SignalTable
from tracediag.kernel.table import DescriptorTable
from tracediag.snapshot import Held, Moment, ProcessState, SocketState
from tracediag.trace.annotations import Annotation, parse_annotation

_CLOEXEC = 0o2000000
_SIGNALS = 31
_EVENTS = {
    0x1: "EPOLLIN", 0x2: "EPOLLPRI", 0x4: "EPOLLOUT", 0x8: "EPOLLERR", 0x10: "EPOLLHUP", 0x40: "EPOLLRDNORM",
    0x80: "EPOLLRDBAND", 0x100: "EPOLLWRNORM", 0x200: "EPOLLWRBAND", 0x400: "EPOLLMSG", 0x2000: "EPOLLRDHUP",
    1 << 28: "EPOLLEXCLUSIVE", 1 << 29: "EPOLLWAKEUP", 1 << 30: "EPOLLONESHOT", 1 << 31: "EPOLLET",
}  # fmt: skip
"""include/uapi/linux/eventpoll.h."""
_MODES = {"O_RDONLY": False, "O_WRONLY": True}


class Roster:
    """The processes of a snapshot, made when the trace shows them."""

    def __init__(self, moment: Moment, ends: Endpoints) -> None:
        """Take the snapshot, and where the ends of pipes and connections meet."""
        self._ends = ends
        self._states = {thread.tid: state for state in moment.processes for thread in state.threads}
        self._blocked = {thread.tid: thread.blocked for thread in moment.threads()}
        self._sockets = {f"socket:[{one.inode}]": one for one in moment.sockets}
        self._single = len(moment.processes) == 1
        self._alone = self._states.pop(0, None) if self._single else None
        """The process of a listing that does not name it."""
        self._of_proc = moment.time > 0
        self._made: dict[int, Process] = {}

    @property
    def complete(self) -> bool:
        """Whether it shows all of the processes of the trace: a listing does not, nor a snapshot of other processes."""
        return self._of_proc and bool(self._made)

    def process_of(self, tid: int | None, *, guessing: bool) -> Process | None:
        """Return the process of a thread; None for a thread that is not in the snapshot, and once it has ended.

        Args:
            tid: the thread; None in a trace without pids.
            guessing: whether an unknown thread may be one of the only process, where a listing does not name that.
        """
        sole = self._alone or (next(iter(self._states.values()), None) if tid is None and self._single else None)
        state = self._states.get(tid or 0, sole if guessing else None)
        if state is None:
            return None
        made = self._made.get(state.pid)
        if made is None:
            made = self._made[state.pid] = self._process(state, state.pid or tid)
        return made if made.exit is None else None

    def blocked(self, tid: int | None) -> frozenset[str]:
        """Return the signals that a thread blocks."""
        return frozenset(_signals(self._blocked.get(tid or 0, 0)))

    def _process(self, state: ProcessState, pid: int | None) -> Process:
        process = Process(pid, DescriptorTable(), _dispositions(state))
        process.program = state.executable.removesuffix(" (deleted)") or None
        process.place = Place(stays=((0, state.directory or None),))
        process.table.users[process] = None
        parent = None if state.parent is None else self._made.get(state.parent)
        if parent is not None:
            process.parent = parent
            parent.children[state.pid] = process
        for held in state.descriptors:
            process.table.install(self._descriptor(held, process.table))
        for held in state.descriptors:
            self._register(held, process)
        return process

    def _descriptor(self, held: Held, table: DescriptorTable) -> Descriptor:
        file = OpenFile(arrived=True)
        learn(self._ends, file, self._note(held))
        if file.socket is not None:
            self._learn_socket(file, self._sockets.get(held.target))
        if held.flags is None:
            return Descriptor(held.number, file, table)
        names = decode(held.flags)
        file.flags.learn(names)
        writing = next((_MODES[name] for name in names if name in _MODES), None)
        if file.pipe is not None and writing is not None:
            file.pipe.direct(file, writing=writing)
        return Descriptor(held.number, file, table, cloexec=bool(held.flags & _CLOEXEC))

    def _note(self, held: Held) -> Annotation:
        """Return what `-y` would show; it tells devices by their number, the link only by their path."""
        note = parse_annotation(held.target)
        return Annotation("device", path=note.path) if note.path.startswith("/dev/") and not note.deleted else note

    def _learn_socket(self, file: OpenFile, state: SocketState | None) -> None:
        """Set the addresses, but leave them open to the first note of `-yy`, which is younger."""
        socket = file.socket
        if socket is None or state is None:
            return
        self._ends.noted = True
        socket.protocol = socket.protocol or state.protocol or None
        socket.local = state.local or None
        socket.peer = state.peer or None
        socket.accepting = state.state == "LISTEN"
        if socket.local and socket.peer:
            self._ends.name(file, socket.local, socket.peer)

    def _register(self, held: Held, process: Process) -> None:
        if not held.epoll:
            return
        file = process.table.open[held.number].file
        file.epoll = file.epoll or EpollSet()
        for entry in held.epoll:
            target = process.table.open.get(entry.fd)
            if target is not None and target.file.kind is not Kind.FILE:
                events = frozenset(_named(entry.events))
                made = Registration(file.epoll, entry.fd, target.file, target, events, entry.data, None)
                file.epoll.add(made)


def _dispositions(state: ProcessState) -> SignalTable:
    """Return what each signal does: SigIgn and SigCgt of /proc/PID/status."""
    table = SignalTable()
    if not state.ignored and not state.caught and not state.arguments:
        return table  # a listing of descriptors
    ignored, caught = set(_signals(state.ignored)), set(_signals(state.caught))
    for name in _signals((1 << _SIGNALS) - 1):
        handled = Disposition.HANDLED if name in caught else Disposition.DEFAULT
        table.set(name, Disposition.IGNORED if name in ignored else handled, None)
    return table


def _signals(bits: int) -> Iterator[str]:
    """Yield the names of the signals of a mask; real-time signals are left out."""
    for number in range(1, 32):
        if bits >> (number - 1) & 1:
            yield signal.Signals(number).name


def _named(bits: int) -> Iterator[str]:
    return (name for bit, name in _EVENTS.items() if bits & bit)
