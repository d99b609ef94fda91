"""Runs the real command for the tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without the variables that affect colour and width."""
    left_out = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in left_out} | changes


def first_finding(report: str) -> str:
    """Return the first line of the first finding in a full report, below its head."""
    return next(line for line in report.splitlines() if line.startswith(("error[", "warning[", "note[")))


def tracediag(*arguments, env=None, **options):
    """Run the command in a process of its own; its streams are text unless the options say otherwise."""
    command = [sys.executable, "-m", "tracediag", *map(str, arguments)]
    options = {"capture_output": True, "text": True, "timeout": 120, "stdin": subprocess.DEVNULL} | options
    if "input" in options:
        del options["stdin"]
    return subprocess.run(command, env=environment(**(env or {})), check=False, **options)
