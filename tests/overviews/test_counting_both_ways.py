"""The counter's counts equal those of the reader's events: on recordings, complete and damaged."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tracediag.kernel import apply
from tracediag.overviews.counting.processes import ProcessView
from tracediag.overviews.sources import kernel_of
from tracediag.reading import Reader
from tracediag.reading.counter import CallCounter, read_end
from tracediag.trace.events import Call, Syscall
from tracediag.trace.records import Signal

ROOT = Path(__file__).parents[2]
RECORDED = sorted((ROOT / "tests").glob("*/recorded/*.strace")) + sorted(
    (ROOT / "samples").glob("*/*.strace"), key=lambda path: path.stat().st_size
)
SEEDS = range(40)
PARTS = 8


class Groups(dict):
    def __missing__(self, key):
        self[key] = found = defaultdict(int)
        return found

    def settle(self):
        """Keep all counts."""


def by_events(lines: Iterable[str], *, by_pid: bool):
    reader = Reader(lines)
    counted = Counter(
        (call.pid if by_pid else call.name, call.errno, call.duration, call.returned)
        for call in reader
        if isinstance(call, Syscall)
    )
    return counted, reader.counts


def by_tally(lines: Iterable[str], *, by_pid: bool, apart=()):
    groups: Groups = Groups()
    counter = CallCounter(lines, groups, by_pid=by_pid, apart=apart)
    counted = Counter(
        (call.pid if by_pid else call.name, call.errno, call.duration, call.returned)
        for call in counter
        if isinstance(call, Syscall)
    )
    for key, ends in groups.items():
        name = (int(key) if key else None) if by_pid else key
        for end, count in ends.items():
            errno, took = read_end(end)
            counted[name, errno, None if took is None else float(took), True] += count
    return counted, counter.counts


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8", "surrogateescape").split("\n")[:-1]


def assert_same(lines: list[str], *aparts, where: Path | None = None) -> None:
    for by_pid in (False, True):
        expected = by_events(lines, by_pid=by_pid)
        for apart in ((), *aparts):
            assert by_tally(lines, by_pid=by_pid, apart=apart) == expected, where


@pytest.mark.parametrize("part", range(PARTS))
def test_recordings(part):
    for path in (RECORDED[:60] + RECORDED[60::5])[part::PARTS]:
        assert_same(lines_of(path), ("read", "clone", "write"), where=path)


TRAPS = r"""
write(1, ") = 3 <0.500000>", 16) = 16 <0.000001>
write(1, ") = -1 ENOENT (No such", 22) = 22 <0.000002>
write(1, "-1 ENOENT (x) <0.9>", 19) = -1 EPIPE (Broken pipe) <0.000003>
write(1, "(a) (b) c) = 7", 14) = 14
write(1, "a) = 1 <unfinished ...>", 23) = 23
write(1, "a) = 1 <unfinished ...>
write(1, "a) b" <unfinished ...>
<... write resumed>, 4) = 4 <0.000004>
read(3</tmp/a) = 3 <0.5>>, "", 8) = 0 <0.000005>
read(3 <unfinished ...>
<... read resumed>"+++ exited with 0 +++", 21) = 21 <0.000006>
<... read resumed>, 1) = 1
read(3, 0x1, 1) = 5 <unfinished ...>
read(3, 0x1, 1)^C <unfinished ...>
read(3 <detached ...>
exit_group(0) = ?
<... futex resumed> <unfinished ...>) = ?
poll([{fd=3}], 1, 0) = 0 (Timeout) <0.000007>
fcntl(3, F_GETFL) = 0x2 (flags O_RDWR) <0.000008>
getpid() = 7 (INJECTED) <0.000009>
openat(AT_FDCWD, "x) = 1", O_RDONLY) = 3</x) = 1> <0.000010>
accept(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("1.2.3.4")}, [16]) = 5<TCP:[1.2.3.4:1->5.6.7.8:9]>
mknod("a", S_IFCHR|0600, makedev(0x1, 0x3))  = 0 <0.1>
kill(1, SIGKILL) = -1 (errno 4000) <0.1>
foo(1)bar
close(3)
close(3) = 0 <0.1> close(4) = 0
open("abc
) = 3
read(3, strace: Process 9 attached
"x", 1) = 1 <0.2>
--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=7, si_uid=0} ---
+++ exited with 0 +++
+++ killed by SIGSEGV (core dumped) +++
= 3
fstat(3</a"b>, {st_mode=S_IFREG|0644, ...}) = 0
wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8 <0.3>
mmap(NULL, 4096, PROT_READ) = -12 ENOMEM (Cannot allocate memory)
getuid() = 0xffffffffffffffff
getuid()=0
""".strip().split("\n")
HEADS = (
    "",
    "7 ",
    "8     ",
    "[pid     7] ",
    "7 1795402008.183164 ",
    "12:00:00.000001 ",
    "     0.000123 ",
    "9<sh> 12:00:00 ",
)


@pytest.mark.parametrize("head", HEADS)
def test_traps(head):
    assert_same([head + line for line in TRAPS], ("read", "clone", "write"))


def random_trace(random_: random.Random) -> list[str]:
    """Return lines of several processes that begin, resume and lose calls at random, some of them damaged."""
    heads = random_.choice([HEADS[:1], HEADS[1:3], HEADS[3:4], HEADS[4:5], HEADS])
    recorded = lines_of(random_.choice(RECORDED))
    lines = []
    for _ in range(300):
        line = random_.choice(TRAPS) if random_.random() < 0.7 else random_.choice(recorded)
        lines.append(random_.choice(heads) + line if random_.random() < 0.95 else line)
    return [damaged(line, random_) if random_.random() < 0.2 else line for line in lines]


def damaged(line: str, random_: random.Random) -> str:
    at = random_.randrange(len(line) + 1)
    match random_.randrange(5):
        case 0:
            return line[:at]
        case 1:
            return line[at:]
        case 2:
            return (
                line[:at] + random_.choice(["(", ")", ") ", '"', "<", ">", " = ", "\\", "^C", "\x00", "…"]) + line[at:]
            )
        case 3:
            return re.sub(r"\d", random_.choice("0123456789x."), line, count=2)
        case _:
            return line + random_.choice(TRAPS)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_lines(seed):
    assert_same(random_trace(random.Random(seed)))


def test_lines_that_never_close_a_parenthesis_do_not_swallow_the_next():
    lines = ['7 write(1, "abc', "7 close(3) = 0", "7 read(3, ", "7 getpid() = 7"] * 300
    assert_same(lines)


@pytest.mark.parametrize("part", range(PARTS))
def test_processes(part):
    for path in RECORDED[::7][part::PARTS]:
        view = ProcessView()
        view.read(str(path))
        rows = {row.name: row.calls for row in view.summary().rows}
        careful = careful_processes(path)
        assert rows == {
            "(no pid)" if process.pid is None else str(process.pid): count for process, count in careful.items()
        }, path


def careful_processes(path: Path):
    kernel, counted = kernel_of(str(path)), Counter()
    for event in Reader(str(path)):
        thread = kernel.process_table.thread(event)
        if not isinstance(event, Signal):
            apply(kernel, event)
        if isinstance(event, Syscall):
            counted[thread.process] += 1
        assert not isinstance(event, Call) or thread.process is not None
    return counted
