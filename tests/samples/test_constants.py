"""A program gives the same findings, whichever way strace prints constants: by name, with remarks, or as numbers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tracediag.api import analyze

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
QUICK = (
    "child-failure-behind",
    "crashed",
    "double-close",
    "epoll-ctl-misuse",
    "event-after-close",
    "leaked-into-exec",
    "peer-reset",
    "privilege-drop-flawed",
    "setfl-clobbers-flags",
    "setfl-setfd-confused",
    "write-error-ignored",
)
"""Samples that need no second, no namespace of their own, and happen in the same order each time."""


def _command(folder: Path, place: Path) -> list[str]:
    script = folder / "bug.py"
    if script.exists():
        shutil.copy(script, place)
        return ["/usr/bin/python3", "-I", "-S", "-B", "bug.py"]
    subprocess.run(["gcc", "-O1", "-pthread", "-o", "bug", folder / "bug.c"], cwd=place, check=True)
    return ["./bug"]


def _findings(form: str, command: list[str], place: Path) -> list[tuple[str, str, str]]:
    options = ["-f", "-ttt", "-T", "-yy", "-X", form, "-o", form]
    strace = ["env", "-i", "PATH=/usr/bin:/bin", "strace", *options, *command]
    subprocess.run(strace, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    report = analyze(place / form)
    assert report.input.calls > 0
    return sorted((finding.name, finding.severity, finding.confidence) for finding in report.findings)


@pytest.mark.skipif(not (shutil.which("strace") and shutil.which("gcc")), reason="needs strace and gcc")
@pytest.mark.parametrize("name", QUICK)
def test_numbers_and_remarks_change_no_finding(name: str, tmp_path: Path) -> None:
    command = _command(SAMPLES / name, tmp_path)
    named = _findings("abbrev", command, tmp_path)
    assert named
    assert _findings("verbose", command, tmp_path) == named
    assert _findings("raw", command, tmp_path) == named
