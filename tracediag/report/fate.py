"""How the command that `tracediag run` recorded ended, in words."""

from __future__ import annotations

from tracediag.results.report import CommandEnd, Report
from tracediag.trace.shell import joined


def fate(command: CommandEnd) -> str:
    """Return how a command ended: `exited with status 3`, `was killed by SIGTERM`."""
    if command.signal is not None:
        return f"was killed by {command.signal}"
    return f"exited with status {command.status}"


def failure_of(report: Report) -> str | None:
    """Return what to tell of a recorded command that failed, as something else than a finding; None for any other."""
    command = report.command
    if command is None or not command.failed:
        return None
    return f"the command {joined(command.argv)} {fate(command)}"
