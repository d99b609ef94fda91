"""The base of every format: the device it writes for, and the order in which it writes."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.report import Report


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the device can show; the default is a file or a pipe."""

    colour: bool = False
    width: int | None = None
    """Columns of the terminal; None if no width applies."""
    ascii_only: bool = False
    """True if the encoding has no box-drawing characters."""


class Format(abc.ABC):
    """Turns a report into text, in pieces, so that a reader that stops early costs little."""

    live: ClassVar[bool] = True
    """Whether findings can be written one by one, before the report is complete."""

    def __init__(self, look: Look) -> None:
        self.look = look

    @abc.abstractmethod
    def finding(self, finding: Finding, path: str, followers: Sequence[Finding] = ()) -> str:
        """Render one finding by itself, for a stream, or with the findings that follow from it."""

    def opening(self, _report: Report) -> str:
        """Render what a reader must know before the first finding: that the trace was not read as it should be."""
        return ""

    def closing(self, _report: Report) -> str:
        """Render the text after the last finding."""
        return ""

    def report(self, report: Report) -> Iterator[str]:
        """Render the complete report."""
        yield self.opening(report)
        for cause, followers in report.folded:
            yield self.finding(cause, report.input.path, followers)
        yield self.closing(report)
