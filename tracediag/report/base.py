"""What every format has in common: the device it writes for, and the order in which it writes."""

from __future__ import annotations

import abc
from collections.abc import Iterator

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.report import Report


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the device can show; the default is a file or a pipe."""

    colour: bool = False
    width: int | None = None
    """Columns of the terminal; None where nothing needs to fit."""
    ascii_only: bool = False
    """True where the encoding has no box-drawing characters."""


class Format(abc.ABC):
    """Turns a report into text, in pieces, so that a reader who stops early costs little."""

    def __init__(self, look: Look) -> None:
        self.look = look

    @abc.abstractmethod
    def finding(self, finding: Finding, path: str) -> str:
        """Render one finding by itself, as a stream needs it."""

    def closing(self, _report: Report) -> str:
        """Render what follows the last finding."""
        return ""

    def report(self, report: Report) -> Iterator[str]:
        """Render the whole report."""
        for finding in report.findings:
            yield self.finding(finding, report.input.path)
        yield self.closing(report)
