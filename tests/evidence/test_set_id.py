"""strace takes the privileges of a set-user-ID program away: what then fails is no fault of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze

RECORDED = Path(__file__).parent / "recorded"


def of(name: str) -> list[tuple[str, str]]:
    """Return the severities and titles of what is said of a failed exit."""
    findings = analyze(RECORDED / f"{name}.strace", select="failed-call-behind-exit").findings
    return [(finding.severity, finding.title) for finding in findings]


@pytest.mark.parametrize(
    ("name", "program", "failure"),
    [
        ("set_id", "helper exits with status 2", ": openat of /etc/shadow fails with EACCES (permission denied)"),
        ("set_id.words", "helper exits with status 1", ""),
        ("set_id.mount", "mount exits with status 32", ": mount of none fails with EPERM (operation not permitted)"),
    ],
)
def test_a_set_user_id_program_is_not_blamed(name: str, program: str, failure: str) -> None:
    (said,) = of(name)
    assert said == ("note", f"{program}, without the privileges that strace takes away{failure}")


def test_the_same_program_without_the_mode_is_blamed() -> None:
    (said,) = of("set_id.plain")
    assert said[0] == "error"
    assert "strace" not in said[1]


def test_strace_as_root_keeps_the_identity() -> None:
    assert of("set_id.kept") == []


def test_a_daemon_that_fails_to_drop_privileges_is_blamed() -> None:
    lines = [
        'execve("/usr/sbin/daemon", ["daemon"], 0x7ffe /* 3 vars */) = 0\n',
        "setuid(65534) = -1 EPERM (Operation not permitted)\n",
        'write(2, "setuid: Operation not permitted\\n", 32) = 32\n',
        "exit_group(1) = ?\n",
        "+++ exited with 1 +++\n",
    ]
    (finding,) = analyze(lines).findings
    assert finding.severity == "error"
