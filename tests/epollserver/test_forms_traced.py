"""Each fault is found by its rule in the rarely used output forms of strace as well.

Every fault is recorded in every form. Each of the 65 recordings takes a few tenths of a second, so none is left
out. Each form is tested by itself: in one recording with all the options one error could mask another, and no
user records so.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from serverprocess import ServerProcess, eventually, started

from tracediag.api import analyze
from tracediag.epollserver import FAULTS
from tracediag.epollserver.scenarios import drive
from tracediag.reading import UnreadableError
from tracediag.results.report import Report

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

FORMS = {
    "instruction-pointer": "-i",
    "call-number": "-n",
    "command": "-Y",
    "relative-times": "-r",
    "stderr": "",
}
"""The options besides -f. Where strace has no file of its own to write to, its lines go to the server's stderr."""


@cache
def _knows(option: str) -> bool:
    """Return whether the installed strace has an option: older ones have no -n and no -Y."""
    command = ["strace", *filter(None, [option]), "-o", "/dev/null", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def _recorded(path: Path, fault: str, form: str) -> Iterator[ServerProcess]:
    options = list(filter(None, [FORMS[form]]))
    if form != "stderr":
        options += ["-o", str(path)]
    arguments = ["--log", str(path.with_suffix(".log")), "--fault", fault]
    # -D makes strace the grandchild, so that signals sent to the process reach the server.
    before = ("strace", "-D", "-f", *options)
    with path.open("a") as stderr, started(*arguments, before=before, stderr=stderr) as server:
        drive(server.port, fault)
        yield server


def _first_two(report: Report) -> list[str]:
    return [finding.name for finding in report.findings[:2]]


def _is_named(path: Path, rule: str) -> bool:
    """Return whether the rule already has a finding: a loop needs some turns before it counts as spinning.

    The trace is copied first: a spinning server writes faster than it can be read.
    """
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    try:
        return rule in _first_two(analyze(lines))
    except UnreadableError:  # no complete line yet
        return False


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_named_in_every_form(fault: str, form: str, tmp_path: Path) -> None:
    if not _knows(FORMS[form]):
        pytest.skip(f"this strace has no {FORMS[form]}")
    path, rule = tmp_path / "trace", FAULTS[fault].rule
    with _recorded(path, fault, form) as server:
        eventually(lambda: _is_named(path, rule))
        server.stop()
        assert eventually(lambda: path.read_bytes().endswith(b" +++\n"))
    report = analyze(path)
    assert rule in _first_two(report)
    assert report.input.not_understood == 0, report.input.samples
