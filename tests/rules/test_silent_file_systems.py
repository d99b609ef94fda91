"""Which calls on files hang, and which are only under way when a trace ends or a process is killed."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding
from tracediag.results.report import Report

START = 1795902864.0
STATFS = 'statfs("/srv/home", {f_type=NFS_SUPER_MAGIC, f_bsize=1048576, ...}) = 0 <0.000100>'


def killed(call: str, after: float, before: str = "getpid() = 7 <0.000010>") -> Report:
    """Return the report on a process that is killed in a call so many seconds after it began."""
    lines = (
        f"7 {START:.6f} {before}\n",
        f"7 {START + 0.1:.6f} {call} <unfinished ...>\n",
        f"8 {START + 0.1 + after:.6f} kill(7, SIGKILL) = 0 <0.000010>\n",
        f"7 {START + 0.2 + after:.6f} <... {call.partition('(')[0]} resumed> <unfinished ...>) = ?\n",
        f"7 {START + 0.2 + after:.6f} +++ killed by SIGKILL +++\n",
    )
    return analyze(lines)


def hangs(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.name == "file-system-hang"]


@pytest.mark.parametrize(
    "call",
    [
        'newfstatat(AT_FDCWD, "/srv/home/x", ',
        'openat(AT_FDCWD, "/srv/home/x", O_RDONLY|O_DIRECTORY',
        'unlink("/srv/home/x"',
        "read(3</srv/home/x>, ",
        "getdents64(3</srv/home/x>, ",
    ],
)
def test_a_call_that_lasts(call: str) -> None:
    (finding,) = hangs(killed(call, 3.0))
    assert finding.object == "/srv/home/x"
    assert hangs(killed(call, 0.3)) == []


@pytest.mark.parametrize(
    "call",
    [
        'openat(AT_FDCWD, "/srv/home/fifo", O_RDONLY',
        "read(3</proc/kmsg>, ",
        "read(3<TCP:[9]>, ",
        'access("/dev/x", R_OK',
    ],
)
def test_a_call_that_may_wait_for_something_else(call: str) -> None:
    assert hangs(killed(call, 3.0)) == []


def test_the_kind_of_file_system_that_statfs_has_shown() -> None:
    (finding,) = hangs(killed('unlink("/srv/home/x"', 3.0, STATFS))
    assert finding.title.endswith("the file system (NFS) does not answer")
    (finding,) = hangs(killed('unlink("/srv/homes"', 3.0, STATFS))
    assert finding.title.endswith("the file system does not answer")


def test_a_trace_that_ends_within_a_call() -> None:
    lines = (f"7 {START:.6f} getpid() = 7\n", f'7 {START:.6f} unlink("/srv/home/x" <unfinished ...>\n')
    report = analyze(lines)
    assert hangs(report) == []
    assert "it waits for the file system alone" in str(report.waiting)


def test_without_times_a_kill_proves_no_wait() -> None:
    lines = ('7 unlink("/srv/home/x" <unfinished ...>\n', "8 kill(7, SIGKILL) = 0\n", "7 <... unlink resumed>) = ?\n")
    assert hangs(analyze((*lines, "7 +++ killed by SIGKILL +++\n"))) == []
