"""The wait graph: which processes could end a call, and when no process is left to do it."""

from __future__ import annotations

import pytest

from tracediag import analyze

BOTH = """\
7 execve("./a", ["./a"], 0x7ffc /* 2 vars */) = 0
7 pipe2([3, 4], 0) = 0
7 pipe2([5, 6], 0) = 0
7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 8
8 close(4) = 0
8 close(5) = 0
7 close(3) = 0
7 close(6) = 0
"""
"""Two processes and two pipes: 7 reads fd 5 and writes fd 4, 8 reads fd 3 and writes fd 6."""
LOCKS = """\
7 execve("./a", ["./a"], 0x7ffc /* 2 vars */) = 0
7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 8
7 close(0) = 0
7 openat(AT_FDCWD, "/run/one", O_RDWR) = 0
7 flock(0, LOCK_EX) = 0
8 openat(AT_FDCWD, "/run/two", O_RDWR) = 3
8 flock(3, LOCK_EX) = 0
7 openat(AT_FDCWD, "/run/two", O_RDWR) = 3
8 openat(AT_FDCWD, "/run/one", O_RDWR) = 4
"""
READS = "7 read(5, <unfinished ...>\n8 read(3, <unfinished ...>\n"
ORDER = "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---"


def circles(trace: str) -> list[str]:
    """The titles of the circles in a trace."""
    lines = [f"{line}\n" for line in trace.splitlines()]
    return [found.title for found in analyze(lines).findings if found.name == "waits-in-a-circle"]


def test_two_that_read_from_each_other() -> None:
    assert circles(BOTH + READS) == ["a (pid 7) and a (pid 8) wait for each other: each reads, and none writes"]


def test_a_read_that_returns_after_the_order_to_stop_stood_before_it() -> None:
    ended = f"7 <... read resumed>0x7f, 9) = ? ERESTARTSYS\n7 {ORDER}\n7 +++ killed by SIGTERM +++\n"
    after = f'8 <... read resumed>"", 9) = 0\n8 {ORDER}\n8 +++ killed by SIGTERM +++\n'
    assert len(circles(BOTH + READS + ended + after)) == 1


def test_a_full_pipe_and_its_reader_that_waits_for_the_writer_to_end() -> None:
    trace = BOTH + '7 wait4(8, <unfinished ...>\n8 write(6, "x"..., 70000 <unfinished ...>\n'
    assert circles(trace) == ["a (pid 7) and a (pid 8) wait for each other: a pipe is full and not read"]


def test_locks_in_opposite_order() -> None:
    trace = LOCKS + "7 flock(3, LOCK_EX <unfinished ...>\n8 flock(4, LOCK_EX <unfinished ...>\n"
    assert circles(trace) == ["a (pid 7) and a (pid 8) wait for each other: file locks are taken in opposite order"]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("7 read(5, <unfinished ...>\n", id="the other process runs"),
        pytest.param("7 read(5, <unfinished ...>\n8 nanosleep({tv_sec=9, tv_nsec=0}, <unfinished ...>\n", id="sleeps"),
        pytest.param("7 read(5, <unfinished ...>\n8 read(0, <unfinished ...>\n", id="reads from outside"),
        pytest.param(
            "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 9\n"
            "9 pause( <unfinished ...>\n" + READS,
            id="a third process has a write end",
        ),
        pytest.param(
            "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 9\n" + READS,
            id="a child that is not followed has a write end",
        ),
        pytest.param(
            "8 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 9\n"
            "9 gettid() = 9\n" + READS,
            id="another thread runs",
        ),
    ],
)
def test_no_circle_where_one_process_may_act(more: str) -> None:
    assert circles(BOTH + more) == []


def test_the_head_follows_the_waits_to_their_end() -> None:
    report = analyze([f"{line}\n" for line in (BOTH + READS).splitlines()])
    assert "a (pid 8) stands in read since line 10, and waits for a (pid 7): a circle" in report.waiting[0].reason


def test_a_parent_that_has_ended_its_child_waits_for_that_end() -> None:
    """The kill comes before the wait, but strace prints the signal after both."""
    end = ORDER.replace("si_pid=1", "si_pid=7")
    trace = (
        f'{BOTH}8 write(6, "x"..., 70000 <unfinished ...>\n7 kill(8, SIGTERM) = 0\n7 wait4(8, <unfinished ...>\n'
        f"8 <... write resumed>) = ? ERESTARTSYS\n8 {end}\n8 +++ killed by SIGTERM +++\n"
    )
    assert circles(trace) == []


def test_a_child_waits_for_the_lock_that_its_parent_keeps() -> None:
    trace = LOCKS.replace("two", "one").split("8 openat", maxsplit=1)[0]
    trace += '8 openat(AT_FDCWD, "/run/one", O_RDWR) = 3\n'
    trace += "7 wait4(8, <unfinished ...>\n8 flock(3, LOCK_EX <unfinished ...>\n"
    title = "a (pid 7) and a (pid 8) wait for each other: one keeps a file lock that its child waits for"
    assert circles(trace) == [title]


def test_the_end_of_a_pipe_is_not_missed_after_the_order_that_ended_both() -> None:
    orders = "".join(f"{pid} {ORDER}\n{pid} +++ killed by SIGTERM +++\n" for pid in (7, 8))
    stopped = READS.replace(" <unfinished ...>", "0x7f, 9) = ? ERESTARTSYS (To be restarted)")
    report = analyze([f"{line}\n" for line in (BOTH + stopped + orders).splitlines()])
    assert not any("no traced process" in fate.stood for fate in report.ending)
