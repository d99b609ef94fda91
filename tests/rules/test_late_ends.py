"""What ends badly after the main job has ended well is no error of it, and an ended sender is still known."""

from __future__ import annotations

from test_attached_interruptions import EXEC

from tracediag.api import analyze

FORK = "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a10)"
FAILS = (
    '2 openat(AT_FDCWD, "/srv/x", O_RDONLY) = -1 ENOENT (No such file or directory)',
    '2 write(2, "job: /srv/x: No such file or directory\\n", 39) = 39',
    "2 exit_group(3) = ?",
    "2 +++ exited with 3 +++",
)
WELL = ("1 exit_group(0) = ?", "1 +++ exited with 0 +++")
BADLY = ("1 exit_group(3) = ?", "1 +++ exited with 3 +++")


def told(*lines: str) -> list[tuple[str, str]]:
    found = analyze([f"{line}\n" for line in (f"1 {EXEC.strip()}", f"1 {FORK} = 2", *lines)]).findings
    return [(finding.name, str(finding.severity)) for finding in found]


def test_a_job_that_fails_after_the_main_program_ended_well_is_a_warning() -> None:
    assert told("2 close(9) = 0", *WELL, *FAILS) == [("missing-file", "warning")]
    assert told("2 close(9) = 0", *BADLY, *FAILS) == [("missing-file", "error")]


def test_a_daemon_is_what_its_parent_was_started_for() -> None:
    assert told("2 setsid() = 2", *WELL, *FAILS) == [("missing-file", "error")]


def test_a_sender_that_has_ended_is_in_the_trace() -> None:
    signal = "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---"
    lines = ("2 prctl(PR_SET_PDEATHSIG, SIGTERM) = 0", *WELL, f"2 {signal}", "2 +++ killed by SIGTERM +++")
    found = analyze([f"{line}\n" for line in (f"1 {EXEC.strip()}", f"1 {FORK} = 2", *lines)]).findings
    assert [finding.title for finding in found] == ["killed by SIGTERM from worker (pid 1)"]
