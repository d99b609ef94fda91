"""What a parent or its own shutdown brought about is an effect; what only a wait or SIGCHLD shows is evidence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding

STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a10)"


def found(source: Path | list[str], name: str) -> list[Finding]:
    return [finding for finding in analyze(source).findings if finding.name == name]


def recorded(folder: Path, *command: str, follow: bool = True) -> Path:
    options = ["-f"] if follow else []
    subprocess.run(["strace", *options, "-o", "trace", *command], cwd=folder, capture_output=True, check=False)
    return folder / "trace"


@STRACE
def test_a_child_that_its_parent_killed_is_no_cause(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "timeout", "0.2", "sleep", "5")
    assert found(trace, "child-failure-behind") == []


@STRACE
def test_a_child_that_another_process_killed_is_a_cause(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "sh", "-c", "sh -c 'kill -11 $$'; exit $?")
    assert len(found(trace, "child-failure-behind")) == 1


@STRACE
def test_nor_is_one_that_is_not_followed(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "timeout", "0.2", "sleep", "5", follow=False)
    assert "kill(" in trace.read_text()
    assert found(trace, "child-failure-behind") == []


@STRACE
@pytest.mark.parametrize(("status", "severity"), [(125, "error"), (1, "note")])
def test_a_child_that_is_not_followed_is_a_cause(status: int, severity: str, tmp_path: Path) -> None:
    trace = recorded(tmp_path, "sh", "-c", f"(exit {status}); exit 1", follow=False)
    (finding,) = found(trace, "child-failure-behind")
    assert (finding.severity, finding.confidence) == (severity, "likely")
    assert "wait4" in finding.primary.text


@STRACE
def test_a_child_that_is_not_followed_and_ends_well_is_no_cause(tmp_path: Path) -> None:
    trace = recorded(tmp_path, "sh", "-c", "(exit 0); exit 1", follow=False)
    assert found(trace, "child-failure-behind") == []


SHUTDOWN = [
    'execve("./server", ["./server"], 0x7ffe /* 5 vars */) = 0',
    f"{FORK} = 2",
    f"{FORK} = 3",
    "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])",
    "close(9) = 0",
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=2, si_uid=0, si_status=SIGHUP} ---",
    "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=3, si_uid=0, si_status=SIGHUP} ---",
    *["close(5) = 0"] * 20,
]
END = ["exit_group(0) = ?", "+++ exited with 0 +++"]


def test_children_that_die_of_the_shutdown_are_no_zombies() -> None:
    lines = [f"1 {line}" for line in (*SHUTDOWN, *END)]
    assert found(lines, "child-not-reaped") == []


def test_children_that_are_forgotten_by_a_running_server_are_zombies() -> None:
    again = "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])"
    waited = "wait4(-1, 0x7ffe, WNOHANG, NULL) = -1 ECHILD (No child processes)"  # so that waits are recorded
    lines = [f"1 {line}" for line in (SHUTDOWN[0], waited, *SHUTDOWN[1:], again, *END)]
    assert len(found(lines, "child-not-reaped")) == 1


TAKEN = [
    'execve("./shell", ["./shell"], 0x7ffe /* 5 vars */) = 0',
    f"{FORK} = 2",
    "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 2",
    "wait4(2, 0x7ffe, 0, NULL) = -1 ECHILD (No child processes)",
]
FAILED = ["exit_group(1) = ?", "+++ exited with 1 +++"]


def test_a_status_that_the_same_thread_has_is_not_lost() -> None:
    lines = [f"1 {line}" for line in (*TAKEN, 'write(2, "no stack\\n", 9) = 9', *FAILED)]
    assert found(lines, "child-status-lost") == []


def test_a_program_that_fails_on_it_has_lost_it() -> None:
    message = 'write(2, "waitpid: No child processes\\n", 28) = 28'
    lines = [f"1 {line}" for line in (*TAKEN, message, *FAILED)]
    (finding,) = found(lines, "child-status-lost")
    assert finding.severity == "error"


def test_in_an_excerpt_it_is_a_note() -> None:
    (finding,) = found([f"1 {line}" for line in TAKEN[2:]], "child-status-lost")
    assert finding.severity == "note"


@pytest.mark.parametrize(
    "line",
    [
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_STOPPED, si_pid=2, si_uid=0, si_status=SIGTTIN} ---",
        "wait4(-1, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTTOU}], WNOHANG|WSTOPPED, NULL) = 2",
        "waitid(P_ALL, 0, {si_code=CLD_STOPPED, si_pid=2, si_uid=0, si_status=SIGTTIN}, WSTOPPED, NULL) = 0",
    ],
)
def test_a_stop_is_told_to_the_parent(line: str) -> None:
    (finding,) = found([f"1 {FORK} = 2", f"1 {line}"], "stopped-by-terminal")
    assert finding.primary.line == 2


@pytest.mark.parametrize(
    "line",
    [
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_CONTINUED, si_pid=2, si_uid=0, si_status=SIGCONT} ---",
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_STOPPED, si_pid=2, si_uid=0, si_status=SIGSTOP} ---",
        "wait4(-1, [{WIFSTOPPED(s) && WSTOPSIG(s) == SIGTTIN}], __WALL, NULL) = 2",
    ],
)
def test_other_reports_are_no_stops_by_the_terminal(line: str) -> None:
    assert found([f"1 {FORK} = 2", f"1 {line}"], "stopped-by-terminal") == []


def mapped(length: int) -> list[str]:
    return [
        'openat(AT_FDCWD, "/dev/shm/a", O_RDWR|O_CREAT, 0600) = 3',
        f"ftruncate(3, {length}) = 0",
        "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = 0x3ffb4100000",
        "--- SIGBUS {si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=0x3ffb4101000} ---",
        "+++ killed by SIGBUS +++",
    ]


def test_sigbus_within_the_file_is_no_truncation() -> None:
    assert found(mapped(8192), "mapping-truncated") == []
    assert len(found(mapped(4096), "mapping-truncated")) == 1
