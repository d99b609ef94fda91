"""Checks that are repeated between sleeps: what counts as one, and when it lasts to the end."""

from __future__ import annotations

import pytest

from tracediag import analyze

START = '7 execve("./a", ["./a"], 0x7ffc /* 2 vars */) = 0\n'
NAP = "7 nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0\n"
OPEN_NAP = "7 nanosleep({tv_sec=1, tv_nsec=0}, <unfinished ...>\n"
ABSENT = '7 access("/run/ready", F_OK) = -1 ENOENT (No such file or directory)\n'
TAKEN = '7 open("/run/a.lock", O_WRONLY|O_CREAT|O_EXCL, 0644) = -1 EEXIST (File exists)\n'
ORDER = "7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---\n7 +++ killed by SIGTERM +++\n"
WORK = "".join(f'7 open("/srv/{number}", O_RDONLY) = 3\n7 close(3) = 0\n' for number in range(20))
SHELL = (
    "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 8\n"
    '8 execve("/bin/sleep", ["sleep", "1"], 0x7ffc /* 2 vars */) = 0\n'
    '8 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)\n'
    "8 nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0\n"
    "8 +++ exited with 0 +++\n"
    "7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8\n"
)


def found(trace: str) -> list[tuple[str, str, str]]:
    """The findings about polls in a trace: name, severity and title."""
    report = analyze([f"{line}\n" for line in (START + trace).splitlines()])
    names = ("sleep-and-poll", "lock-file-wait")
    return [(each.name, each.severity.value, each.title) for each in report.findings if each.name in names]


def test_a_file_that_does_not_appear() -> None:
    title = "a (pid 7) waits for /run/ready to appear: 3 checks with sleeps between"
    assert found(NAP + (ABSENT + NAP) * 2 + ABSENT + OPEN_NAP) == [("sleep-and-poll", "warning", title)]


def test_a_shell_sleeps_in_a_child() -> None:
    title = "a (pid 7) waits for /run/ready to appear: 3 checks with sleeps between"
    assert found((ABSENT + SHELL) * 4 + ORDER) == [("sleep-and-poll", "warning", title)]


def test_a_lock_file_of_a_dead_owner() -> None:
    gone = "7 kill(99, 0) = -1 ESRCH (No such process)\n"
    title = "a (pid 7) waits for the lock file /run/a.lock to disappear: the owner, process 99, does not exist"
    assert found(NAP + (TAKEN + gone + NAP) * 3 + ORDER) == [("lock-file-wait", "error", title)]


@pytest.mark.parametrize(
    "trace",
    [
        pytest.param(NAP + (ABSENT + NAP) * 4 + WORK + ORDER, id="the file appears, and the program works"),
        pytest.param(NAP + (ABSENT + NAP) * 4 + "7 +++ exited with 0 +++\n", id="the program ends well"),
        pytest.param(NAP + ABSENT * 9 + ORDER, id="no sleep between the checks"),
        pytest.param(NAP + (ABSENT + NAP * 3) * 4 + ORDER, id="most sleeps are for something else"),
        pytest.param(NAP + ABSENT + NAP + ABSENT + ORDER, id="two checks"),
    ],
)
def test_no_finding(trace: str) -> None:
    assert found(trace) == []


def test_a_recording_that_only_stops_shows_no_harm() -> None:
    title = "a (pid 7) waits for /run/ready to appear: {} checks with sleeps between"
    assert found(NAP + (ABSENT + NAP) * 3) == [("sleep-and-poll", "note", title.format(3))]
    assert found(NAP + (ABSENT + NAP) * 10) == [("sleep-and-poll", "warning", title.format(10))]
