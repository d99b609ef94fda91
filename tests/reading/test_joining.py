"""Halves of calls, in every dialect."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tracediag.overviews.counting.view import Groups
from tracediag.reading import Reader, counter, join, read
from tracediag.reading.halves import MOST_GONE, Half, Latest
from tracediag.trace.events import Begun, Event, Syscall
from tracediag.trace.records import Exit, Notice, Superseded


def events(*lines: str) -> list[Event]:
    reader = Reader(lines)
    found = list(reader)
    assert sum(reader.counts.kinds.values()) == len(lines)
    return found


def calls(*lines: str) -> list[Syscall]:
    return [event for event in events(*lines) if isinstance(event, Syscall)]


@pytest.mark.parametrize(
    ("begun", "resumed", "body"),
    [
        # 4.26
        ("read(3,  <unfinished ...>", '<... read resumed> "x", 8)  = 1', '3, "x", 8'),
        ("close(3 <unfinished ...>", "<... close resumed> )      = 1", "3"),
        ("getpid( <unfinished ...>", "<... getpid resumed> )     = 1", ""),
        # 5.3, 6.1
        ("read(3,  <unfinished ...>", '<... read resumed>"x", 8)  = 1', '3, "x", 8'),
        ("close(3 <unfinished ...>", "<... close resumed>)       = 1", "3"),
        ("getpid( <unfinished ...>", "<... getpid resumed>)      = 1", ""),
        # 6.16
        ("read(3 <unfinished ...>", '<... read resumed>, "x", 8) = 1', '3, "x", 8'),
        ("clone3({flags=0} <unfinished ...>", "<... clone3 resumed> => {parent_tid=[1]}, 88) = 1",
         "{flags=0} => {parent_tid=[1]}, 88"),
        ("io_uring_setup(32, {flags=0, sq_thread_idle=0 <unfinished ...>", "<... io_uring_setup resumed>}) = 1",
         "32, {flags=0, sq_thread_idle=0}"),
    ],
)  # fmt: skip
def test_the_dialects(begun: str, resumed: str, body: str) -> None:
    for pid, other in (("7  ", "8  "), ("[pid 7] ", "[pid 8] ")):
        found = events(pid + begun, other + "getuid() = 0", pid + resumed)
        assert [type(event) for event in found] == [Begun, Syscall, Syscall]
        joined = found[2]
        assert isinstance(joined, Syscall)
        assert (joined.line, joined.end_line, joined.pid, joined.body, joined.result) == (1, 3, 7, body, 1)
        assert not found[0].body.endswith((",", " "))  # type: ignore[attr-defined]


def test_times_of_both_halves() -> None:
    begun, call = events("7 12:00:00.5 read(3,  <unfinished ...>", '7 12:00:01.5 <... read resumed>"", 8) = 0 <1.0>')
    assert begun.time == 43200.5
    assert isinstance(call, Syscall)
    assert (call.time, call.end_time, call.duration) == (43200.5, 43201.5, 1.0)


def test_never_resumed() -> None:
    begun, call = events("7 read(3,  <unfinished ...>")
    assert isinstance(begun, Begun)
    assert isinstance(call, Syscall)
    assert (call.line, call.end_line, call.returned, call.result, call.tail) == (1, 1, False, None, "")
    assert call.text == "read(3 <unfinished ...>"


def test_the_beginning_is_not_in_the_trace() -> None:
    (call,) = calls('7 1795402008.500000 <... read resumed>"x", 8) = 1 <0.500000>')
    assert (call.name, call.body, call.result) == ("read", '..., "x", 8', 1)
    assert (call.time, call.end_time) == (1795402008.0, 1795402008.5)


def test_killed_inside() -> None:
    _, call, end = events(
        "7 nanosleep({tv_sec=9, tv_nsec=0},  <unfinished ...>",
        "7 <... nanosleep resumed> <unfinished ...>) = ?",
        "7 +++ killed by SIGKILL +++",
    )
    assert isinstance(call, Syscall)
    assert isinstance(end, Exit)
    assert (call.returned, call.result, call.body) == (False, None, "{tv_sec=9, tv_nsec=0}")


def test_an_exit_ends_what_was_begun() -> None:
    _, call, end = events("7 read(3,  <unfinished ...>", "7 +++ exited with 0 +++")
    assert isinstance(call, Syscall)
    assert isinstance(end, Exit)
    assert not call.returned


def test_execve_in_a_thread_is_resumed_by_the_leader() -> None:
    found = events(
        "13402 nanosleep({tv_sec=9, tv_nsec=0},  <unfinished ...>",
        '13404 execve("/bin/true", ["true"], 0x7ffe /* 2 vars */ <unfinished ...>',
        "13402 <... nanosleep resumed> <unfinished ...>) = ?",
        "13402 +++ superseded by execve in pid 13404 +++",
        "13402 <... execve resumed>)             = 0",
    )
    assert isinstance(found[3], Superseded)
    execve = found[4]
    assert isinstance(execve, Syscall)
    assert (execve.name, execve.line, execve.end_line, execve.pid, execve.result) == ("execve", 2, 5, 13402, 0)


def test_execve_in_a_thread_without_the_notice() -> None:
    found = calls(
        "13402 futex(0x1, FUTEX_WAIT, 2, NULL <unfinished ...>",
        '13404 execve("/bin/true", ["true"], 0x7ffe /* 2 vars */ <unfinished ...>',
        "13402 <... execve resumed>)             = 0",
    )
    assert [(call.name, call.returned) for call in found] == [("futex", False), ("execve", True)]


def test_pids_come_and_go_on_a_terminal() -> None:
    found = calls(
        "clone(child_stack=NULL, flags=SIGCHLDstrace: Process 8 attached",
        " <unfinished ...>",
        "[pid     8] wait4(-1,  <unfinished ...>",
        "[pid     7] <... clone resumed>, child_tidptr=0x1) = 8",
        "[pid     7] +++ exited with 0 +++",
        "<... wait4 resumed>0x7f, 0, NULL) = -1 ECHILD (No child processes)",
    )
    assert [(call.name, call.pid, call.line, call.result) for call in found] == [
        ("clone", 7, 1, 8),
        ("wait4", 8, 3, -1),
    ]
    assert found[0].body == "child_stack=NULL, flags=SIGCHLD, child_tidptr=0x1"


def test_a_message_in_the_middle() -> None:
    found = events(
        "clone(Process 13600 attached",  # 4.10
        "child_stack=0, flags=SIGCHLD, child_tidptr=0x7f) = 13600",
        "mprotect(0x7f00, 8388608, PROT_READ|PROT_WRITEstrace: Process 20917 attached",  # 5.3
        "strace: Process 20915 attached",
        ") = 0",
    )
    assert [event.subject for event in found if isinstance(event, Notice)] == [13600, 20917, 20915]
    assert [(call.name, call.body) for call in found if isinstance(call, Syscall)] == [
        ("clone", "child_stack=0, flags=SIGCHLD, child_tidptr=0x7f"),
        ("mprotect", "0x7f00, 8388608, PROT_READ|PROT_WRITE"),
    ]


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (['write(1, "HELLO\\n", 6HELLO', ")      = 6"], '1, "HELLO\\n", 6'),
        (['write(2, "ls: ", 4ls: )                     = 4'], '2, "ls: ", 4'),
        (['write(1, "5 a\\nb\\n", 65 a', "b", ") = 6"], '1, "5 a\\nb\\n", 6'),
        (['write(1, "a(b) = c\\n", 9a(b) = c', ")               = 9"], '1, "a(b) = c\\n", 9'),
        (['write(1, "[pid 5] read(3\\n", 15[pid 5] read(3', ")        = 15"], '1, "[pid 5] read(3\\n", 15'),
        (['write(1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"..., 40aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', ") = 40"],
         '1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"..., 40'),
        (['write(1, "6\\n77\\n"..., 4096) = 4096'], '1, "6\\n77\\n"..., 4096'),
        (['write(1, "6\\n77\\n"..., 406', "77", ") = 40"], '1, "6\\n77\\n"..., 40'),
        (['write(1, "\\n\\n"..., 4096) = 4096'], '1, "\\n\\n"..., 4096'),
        (['write(1, "\\na\\n"..., 40', "a", ") = 40"], '1, "\\na\\n"..., 40'),
    ],
)  # fmt: skip
def test_the_programs_own_output_in_the_middle(lines: list[str], body: str) -> None:
    (call,) = calls(*lines)
    assert (call.name, call.body, call.line, call.end_line) == ("write", body, 1, len(lines))


def test_detached() -> None:
    found = events(
        "strace: Process 21985 attached with 6 threads",
        "[pid 21987] clock_nanosleep(CLOCK_MONOTONIC, 0, {tv_sec=1, tv_nsec=0}strace: Process 21991 detached",
        " <detached ...>",
        "strace: Process 21987 detached",
    )
    notices = [(event.kind, event.subject) for event in found if isinstance(event, Notice)]
    assert notices == [("attached", 21985), ("detached", 21991), ("detached", 21987)]
    (call,) = [event for event in found if isinstance(event, Syscall)]
    assert (call.pid, call.returned, call.body) == (21987, False, "CLOCK_MONOTONIC, 0, {tv_sec=1, tv_nsec=0}")


def test_a_call_that_returned_elsewhere_is_not_waiting_at_the_end() -> None:
    found = calls("7 read(3,  <unfinished ...>", "7 close(3) = 0", "7 getuid() = 0")
    assert [(call.name, call.returned) for call in found] == [("read", False), ("close", True), ("getuid", True)]


def test_restart() -> None:
    (call,) = calls("restart_syscall(<... resuming interrupted poll ...>) = 0 (Timeout)")
    assert (call.name, call.body, call.detail) == ("restart_syscall", "<... resuming interrupted poll ...>", "Timeout")


def test_only_wanted_names() -> None:
    lines = [
        "7 getuid() = 0",
        "7 read(3,  <unfinished ...>",
        "8 getgid( <unfinished ...>",
        "8 <... getgid resumed>) = 0",
        "8 close(9) = -1 EBADF (Bad file descriptor)",
        '7 <... read resumed>"x", 8) = 1',
        "8 chdir( <unfinished ...>",
        "8 <... chdir resumed>0x7) = -1 EFAULT (Bad address)",
        "8 getuid( <unfinished ...>",
    ]
    reader = Reader(lines, calls={"read"})
    assert [(type(event).__name__, event.name) for event in reader] == [  # type: ignore[attr-defined]
        ("Begun", "read"), ("Syscall", "close"), ("Syscall", "read"), ("Syscall", "chdir"),
    ]  # fmt: skip
    assert reader.counts.calls == 5
    assert reader.counts.kinds == {"call": 2, "begun": 4, "resumed": 3}
    names = [event.name for event in Reader(lines, calls={"read"}, failures=False)]  # type: ignore[attr-defined]
    assert names == ["read", "read"]


def test_read_takes_lines_with_their_ends() -> None:
    (event,) = read(["close(3) = 0\r\n"])
    assert isinstance(event, Syscall)
    assert event.tail == "= 0"


def naive(pending: dict[str, Half], name: str) -> Half | None:
    return max((half for half in pending.values() if half.name == name), key=lambda half: half.line, default=None)


@pytest.mark.parametrize("seed", range(20))
def test_the_latest_half_of_a_name(seed: int) -> None:
    random = Random(seed)
    pending: dict[str, Half] = {}
    latest = Latest(pending)
    for line in range(1, 6000):
        pid = random.randrange(40)
        pending.pop(str(pid), None)
        if random.random() < 0.6:
            pending[str(pid)] = Half(line, pid, None, random.choice("abc"), "")
        if random.random() < 0.3:
            name = random.choice("abcd")
            assert latest.of(name) is naive(pending, name)
    assert latest._entered <= 2 * 40 + MOST_GONE + 40


def test_halves_are_bounded_on_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "MOST", 64)
    lines = [f"{pid} read(3, <unfinished ...>\n" for pid in range(1, 20_000)]
    reader = Reader(lines)
    lost = [event for event in reader if isinstance(event, Syscall)]
    assert [call.pid for call in lost] == [*range(1, 20_000)]
    assert lost[0].line == 1
    assert reader.counts.lines == len(lines)
    most = 0

    def feed() -> Iterator[str]:
        nonlocal most
        for line in lines:
            yield line
            most = max(most, len(counting._slow.assembler.joiner.pending) if counting.counts.lines else 0)

    counting = counter.CallCounter(feed(), Groups(lambda: None))
    assert sum(1 for _ in counting) == len(lines)
    assert most <= 2048 + 64
