"""The fixture `strace`: runs a command of a test under strace and returns the report on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tracediag.analysis import Analysis
from tracediag.recording.command import check_command
from tracediag.recording.ending import Ending
from tracediag.recording.errors import RecordingError
from tracediag.recording.recording import Recording
from tracediag.recording.strace import find_strace
from tracediag.results.report import CommandEnd, Report
from tracediag.testing.marks import Asked


class Strace:
    """Runs commands under strace; their traces are kept in a folder until the test has ended."""

    def __init__(self, place: Path, usual: Asked) -> None:
        """Set where traces are kept, as `PLACE.1.strace` and so on, and what applies if `run` does not say it."""
        self._place = place
        self._usual = usual
        self._runs = 0

    def run(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        select: str | Sequence[str] | None = None,
        ignore: str | Sequence[str] | None = None,
        timeout: float = 60,
    ) -> Report:
        """Run a command to its end and return the report; `report.command` says how it ended.

        Args:
            command: the program and its arguments; it has the standard streams, folder and environment of the test.
            select: the rules to apply, by default those of the marker, or all.
            ignore: the rules to leave out.
            timeout: seconds after which it is ended by SIGTERM, then SIGKILL.

        Raises:
            RecordingError: if the command or strace is missing, or strace cannot trace the command.
            TypeError: if the command is one text.
        """
        __tracebackhide__ = True
        if isinstance(command, str | bytes | os.PathLike):
            raise TypeError(f"strace.run takes a list of words, as subprocess.run does: [{os.fspath(command)!r}]")
        self._runs += 1
        trace = self._place.with_name(f"{self._place.name}.{self._runs}.strace")
        words = [os.fspath(word) for word in command]
        if not words:
            raise RecordingError("strace.run takes a command and its arguments: the list is empty")
        check_command(words)
        with Recording(find_strace(), words, os.fspath(trace), seconds=timeout) as recording:
            analysis = Analysis(
                recording.follow(os.fspath(trace)),
                select=self._usual.select if select is None else select,
                ignore=self._usual.ignore if ignore is None else ignore,
                rules=self._usual.rules,
                known=recording.snapshot,
            )
            for _ in analysis:
                pass
            report = analysis.report()
            recording.check()
            return msgspec.structs.replace(report, command=_end(words, recording.ending()))


def _end(words: list[str], ending: Ending | None) -> CommandEnd | None:
    if ending is None:
        return None
    return CommandEnd(argv=tuple(words), status=ending.status, signal=ending.signal_name)
