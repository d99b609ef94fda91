"""Random sequences of calls, applied to a small reference kernel and, as a trace, to ours: both must agree."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tracediag.kernel import Kernel, apply
from tracediag.reading import read

PIDS = st.integers(0, 3)
NUMBERS = st.integers(3, 9)


@dataclass
class Reference:
    """Processes with tables of numbers; a description is a bare identity; sets hold (number, description)."""

    tables: dict[int, dict[int, int]] = field(default_factory=lambda: {100: {}})
    cloexec: dict[tuple[int, int], bool] = field(default_factory=dict)
    watched: set[tuple[int, int]] = field(default_factory=set)
    descriptions: int = 0

    def lowest(self, pid: int) -> int:
        return next(number for number in range(3, 99) if number not in self.tables[pid])

    def drop_unheld(self) -> None:
        held = {what for table in self.tables.values() for what in table.values()}
        self.watched = {entry for entry in self.watched if entry[1] in held}


class KernelMachine(RuleBasedStateMachine):
    """Both kernels side by side; the epoll set is on fd 99, created first and never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = Reference()
        self.kernel = Kernel()
        self.line = 0
        self.identity: dict[int, object] = {}
        self.tell("epoll_create1(0) = 99", 100)

    def tell(self, text: str, pid: int) -> None:
        self.line += 1
        for event in read([f"{pid} {text}\n"]):
            event.line = self.line
            apply(self.kernel, event)

    def pid(self, choice: int) -> int:
        living = sorted(self.reference.tables)
        return living[choice % len(living)]

    @rule(choice=PIDS, cloexec=st.booleans())
    def open(self, choice: int, cloexec: bool) -> None:
        pid = self.pid(choice)
        number = self.reference.lowest(pid)
        self.reference.descriptions += 1
        self.reference.tables[pid][number] = self.reference.descriptions
        self.reference.cloexec[pid, number] = cloexec
        flags = "SOCK_STREAM|SOCK_CLOEXEC" if cloexec else "SOCK_STREAM"
        self.tell(f"socket(AF_INET, {flags}, IPPROTO_IP) = {number}", pid)

    @rule(choice=PIDS, number=NUMBERS)
    def close(self, choice: int, number: int) -> None:
        pid = self.pid(choice)
        gone = self.reference.tables[pid].pop(number, None)
        self.reference.drop_unheld()
        self.tell(f"close({number}) = 0" if gone else f"close({number}) = -1 EBADF (Bad file descriptor)", pid)

    @rule(choice=PIDS, old=NUMBERS, new=NUMBERS)
    def dup2(self, choice: int, old: int, new: int) -> None:
        pid = self.pid(choice)
        table = self.reference.tables[pid]
        if old not in table:
            self.tell(f"dup2({old}, {new}) = -1 EBADF (Bad file descriptor)", pid)
            return
        table[new] = table[old]
        if old != new:
            self.reference.cloexec[pid, new] = False
        self.reference.drop_unheld()
        self.tell(f"dup2({old}, {new}) = {new}", pid)

    @precondition(lambda self: len(self.reference.tables) < 4)
    @rule(choice=PIDS)
    def fork(self, choice: int) -> None:
        pid = self.pid(choice)
        child = max(self.reference.tables) + 1
        self.reference.tables[child] = dict(self.reference.tables[pid])
        for number in self.reference.tables[child]:
            self.reference.cloexec[child, number] = self.reference.cloexec[pid, number]
        self.tell(f"fork() = {child}", pid)
        self.tell("getpid() = 1", child)

    @rule(choice=PIDS)
    def execve(self, choice: int) -> None:
        pid = self.pid(choice)
        table = self.reference.tables[pid]
        for number in [number for number in table if self.reference.cloexec[pid, number]]:
            del table[number]
        self.reference.drop_unheld()
        self.tell('execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0', pid)

    @precondition(lambda self: len(self.reference.tables) > 1)
    @rule(choice=PIDS)
    def exit(self, choice: int) -> None:
        pid = self.pid(choice)
        del self.reference.tables[pid]
        self.reference.drop_unheld()
        self.tell("+++ exited with 0 +++", pid)

    @rule(choice=PIDS, number=NUMBERS)
    def watch(self, choice: int, number: int) -> None:
        pid = self.pid(choice)
        what = self.reference.tables[pid].get(number)
        if what is not None and (number, what) not in self.reference.watched:
            self.reference.watched.add((number, what))
            self.tell(
                f"epoll_ctl(99, EPOLL_CTL_ADD, {number}, {{events=EPOLLIN, data={{u32={number}, u64={number}}}}}) = 0",
                pid,
            )

    @rule(choice=PIDS, number=NUMBERS)
    def unwatch(self, choice: int, number: int) -> None:
        pid = self.pid(choice)
        what = self.reference.tables[pid].get(number)
        if (number, what) in self.reference.watched:
            self.reference.watched.remove((number, what))
            self.tell(f"epoll_ctl(99, EPOLL_CTL_DEL, {number}, NULL) = 0", pid)

    @invariant()
    def same_tables(self) -> None:
        ours = {
            process.pid: {held.number: held.file for held in process.table if held.number != 99}
            for process in self.kernel.processes
            if process.exit is None
        }
        theirs = self.reference.tables
        assert {pid: set(table) for pid, table in ours.items()} == {pid: set(table) for pid, table in theirs.items()}
        pairs = {(table[number], ours[pid][number]) for pid, table in theirs.items() for number in table}
        assert len({one for one, _ in pairs}) == len({id(other) for _, other in pairs}) == len(pairs)

    @invariant()
    def same_watches(self) -> None:
        sets = {
            id(held.file.epoll): held.file.epoll
            for process in self.kernel.processes
            for held in process.table
            if held.file.epoll is not None
        }
        assert sum(len(found.entries) for found in sets.values()) == len(self.reference.watched)


TestKernel = KernelMachine.TestCase
