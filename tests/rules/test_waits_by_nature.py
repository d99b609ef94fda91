"""TD602, TD604 and TD610: waits that nothing ends, and the same lines where something might."""

from __future__ import annotations

import pytest

from tracediag import analyze

START = '7 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0'
LOCK = "7 flock(3</srv/x.lock>, LOCK_EX"
ENDLESS = "futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL"
TIMED = "futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, {tv_sec=60, tv_nsec=0}"
THREAD = "7 clone(child_stack=0x7f01, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8"


def names(*lines: str) -> set[str]:
    return {finding.name for finding in analyze([f"{line}\n" for line in lines]).findings}


KILLED = [f"{pid} +++ killed by SIGKILL +++" for pid in (8, 7)]


def killed(*calls: str, signal: str = "SIGTERM") -> list[str]:
    return [START, *(f"{call}) = ?" for call in calls), f"7 +++ killed by {signal} +++"]


@pytest.mark.parametrize(
    ("signal", "found"), [("SIGTERM", True), ("SIGINT", True), ("SIGKILL", True), ("SIGSEGV", False)]
)
def test_only_an_order_to_stop_ends_a_wait(signal: str, found: bool) -> None:
    assert ("file-lock-wait" in names(*killed(LOCK, signal=signal))) is found


def test_each_thread_is_looked_at() -> None:
    assert "file-lock-wait" in names(START, THREAD, "8 poll(NULL, 0, -1 <unfinished ...>", LOCK)


def test_a_lock_of_the_same_process_is_told() -> None:
    opened = '7 openat(AT_FDCWD, "/srv/x.lock", O_RDWR) = {}'
    lines = killed("7 flock(4, LOCK_EX")
    lines[1:1] = [opened.format(3), "7 flock(3, LOCK_EX) = 0", opened.format(4)]
    (found,) = [each for each in analyze([f"{line}\n" for line in lines]).findings if each.name == "file-lock-wait"]
    assert "which the same process has locked through fd 3" in found.title
    lines.insert(4, "7 flock(3, LOCK_UN) = 0")
    (found,) = [each for each in analyze([f"{line}\n" for line in lines]).findings if each.name == "file-lock-wait"]
    assert "which another process holds" in found.title


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('openat(AT_FDCWD, "q", O_RDONLY', True),
        ('openat(AT_FDCWD, "q", O_RDONLY|O_DIRECTORY', False),
        ('openat(AT_FDCWD, "q", O_RDONLY|O_NONBLOCK', False),
        ('openat(AT_FDCWD, "/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC', False),
        ('openat(AT_FDCWD, "q", O_RDWR', False),
    ],
)
def test_what_may_be_a_fifo(line: str, found: bool) -> None:
    assert ("fifo-without-peer" in names(line)) is found
    assert "fifo-without-peer" not in names("close(3) = 0", line)  # a paste may end within any open


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (killed(f"7 {ENDLESS}", signal="SIGKILL"), True),
        (killed(f"7 {TIMED}", signal="SIGKILL"), False),
        ([START, THREAD, f"8 {ENDLESS}) = ?", f"7 {ENDLESS}) = ?", *KILLED], True),
        ([START, THREAD, f"8 {TIMED}) = ?", f"7 {ENDLESS}) = ?", *KILLED], False),
        ([START, THREAD, "8 read(0, ) = ?", f"7 {ENDLESS}) = ?", *KILLED], False),
        ([START, THREAD, f"7 {ENDLESS}) = ?", "7 +++ killed by SIGKILL +++"], False),
        ([START, f"7 {ENDLESS} <unfinished ...>"], False),
        ([START, "7 +++ exited with 0 +++"], False),
    ],
)  # fmt: skip
def test_no_thread_is_left_to_wake_another(lines: list[str], found: bool) -> None:
    assert ("lock-never-released" in names(*lines)) is found


IDLE = "futex(0x7f00, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY"


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [(ENDLESS, ENDLESS, "ERROR"), (ENDLESS, IDLE, "ERROR"), (IDLE, IDLE, "WARNING")],
)
def test_idle_workers_are_no_proof_of_a_deadlock(first: str, second: str, severity: str) -> None:
    ends = [end.replace("SIGKILL", "SIGTERM") for end in KILLED]
    lines = [START, THREAD, f"8 {first}) = ?", f"7 {second}) = ?", *ends]
    (found,) = [each for each in analyze([f"{line}\n" for line in lines]).findings if each.code == "TD602"]
    assert found.severity.name == severity
    assert ("a deadlock, or they have no work" in found.title) is (severity == "WARNING")


def test_a_service_at_its_fifo_waits_for_the_next_client() -> None:
    wait = '7 openat(AT_FDCWD, "q", O_RDONLY'
    served = [f"{wait} <unfinished ...>", '8 openat(AT_FDCWD, "q", O_WRONLY) = 3', "7 <... openat resumed>) = 3"]
    last = [f"{wait}) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", "7 +++ killed by SIGTERM +++"]
    assert "fifo-without-peer" in names(START, *last)
    assert "fifo-without-peer" not in names(START, *served, "7 close(3) = 0", *last)


def test_a_file_is_called_a_fifo_where_the_trace_shows_it() -> None:
    def title(*lines: str) -> str:
        stood = '7 openat(AT_FDCWD, "q", O_RDONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)'
        found = analyze([f"{line}\n" for line in (START, *lines, stood, "7 +++ killed by SIGTERM +++")]).findings
        return next(each.title for each in found if each.name == "fifo-without-peer")

    assert "if this is a FIFO" not in title('7 mknodat(AT_FDCWD, "q", S_IFIFO|0600) = 0')
    assert "if this is a FIFO" in title('7 mknodat(AT_FDCWD, "other", S_IFIFO|0600) = 0')


def _checks(*last: str) -> list[str]:
    """Return a program that looks every half second whether process 8 runs, recorded without its start."""
    lines = []
    for _ in range(12):
        lines += [
            "7 kill(8, 0) = 0\n",
            "7 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=500000000}, NULL) = 0\n",
        ]
    return [*lines, *last]


def test_a_check_that_succeeds_at_last_is_no_wait() -> None:
    waits = [found.title for found in analyze(_checks()).findings if found.name == "sleep-and-poll"]
    assert waits == ["process 7 waits for process 8 to end: 11 checks with sleeps between"]
    over = analyze(_checks("7 kill(8, 0) = -1 ESRCH (No such process)\n", "7 getpid() = 7\n"))
    assert [found.name for found in over.findings if found.name == "sleep-and-poll"] == []
