"""A job that loses its result is more than a note, even where the last process exits with status 0."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding, Severity

SHELL = '7 execve("/bin/sh", ["sh", "job.sh"], 0x7ffe /* 9 vars */) = 0'
STARTS = "7 vfork() = 8"
TAR = '8 execve("/bin/tar", ["tar", "cf", "/dev/full", "x"], 0x7ffe /* 9 vars */) = 0'
FULL = (
    '8 write(3</dev/full>, "x", 10240) = -1 ENOSPC (No space left on device)',
    '8 write(2, "tar: /dev/full: Cannot write: No space left on device\\n", 55) = 55',
)
MISSING = (
    '8 newfstatat(AT_FDCWD, "x", 0x7ffe, AT_SYMLINK_NOFOLLOW) = -1 ENOENT (No such file or directory)',
    '8 write(2, "tar: x: Cannot stat: No such file or directory\\n", 48) = 48',
)
FAILS = (
    "8 exit_group(2) = ?",
    "8 +++ exited with 2 +++",
    "7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 2}], 0, NULL) = 8",
)
WORKS = (
    "8 exit_group(0) = ?",
    "8 +++ exited with 0 +++",
    "7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8",
)


def end(status: int) -> tuple[str, str]:
    return f"7 exit_group({status}) = ?", f"7 +++ exited with {status} +++"


def blamed(*lines: str) -> Finding:
    report = analyze([f"{line}\n" for line in lines], select="failed-call-behind-exit")
    (finding,) = report.findings
    return finding


def test_a_shell_that_carries_on_after_a_lost_archive() -> None:
    finding = blamed(SHELL, STARTS, TAR, *FULL, *FAILS, *end(0))
    assert finding.severity is Severity.WARNING
    assert finding.title.endswith("; tar exits with status 2; sh then exits with status 0")
    assert "set -e" in finding.fix


def test_nothing_is_lost_by_a_lookup() -> None:
    finding = blamed(SHELL, STARTS, TAR, *MISSING, *FAILS, *end(0))
    assert finding.severity is Severity.NOTE
    assert "then exits" not in finding.title


def test_nothing_is_hidden_by_a_status_that_is_passed_on() -> None:
    finding = blamed(SHELL, STARTS, TAR, *FULL, *FAILS, *end(2))
    assert finding.severity is Severity.ERROR
    assert "then exits" not in finding.title


ASTRAY = '7 chdir("/srv/jobs") = -1 ENOENT (No such file or directory)'


@pytest.mark.parametrize(
    "said",
    ["job.sh: 1: cd: can't cd to /srv/jobs", "job.sh: line 1: cd: /srv/jobs: No such file or directory"],
)
def test_commands_after_a_cd_that_failed(said: str) -> None:
    lines = (SHELL, ASTRAY, f'7 write(2, "{said}\\n", {len(said) + 1}) = {len(said) + 1}')
    finding = blamed(*lines, STARTS, TAR.replace("tar", "ls"), *WORKS, *end(0))
    assert finding.severity is Severity.WARNING
    assert finding.title.startswith("chdir of /srv/jobs fails with ENOENT ")
    assert finding.title.endswith(" carries on in the old directory")


def test_a_cd_that_failed_before_no_command_is_no_more_than_a_note() -> None:
    said = '7 write(2, "sh: 1: cd: /srv/jobs: No such file or directory\\n", 49) = 49'
    assert blamed(SHELL, ASTRAY, said, *end(0)).severity is Severity.NOTE
