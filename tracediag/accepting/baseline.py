"""The baseline: the findings that were known when it was written, by fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tracediag.bounded import read_bounded
from tracediag.errors import TracediagError
from tracediag.report.document import dump
from tracediag.results.findings import Finding, Severity
from tracediag.results.report import Report
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern

SCHEMA = "tracediag-baseline/1"
_MOST_BYTES = 1 << 26
_ENTRY = lazy_pattern(r"\$\.findings\[([0-9]{1,9})\]")
_FINGERPRINT = lazy_pattern(r'"fingerprint":\s*+"([^"]*+)"')


class BaselineError(TracediagError, ValueError):
    """A file that is no baseline, in one line."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One known finding; all but the fingerprint is for readers."""

    fingerprint: str
    code: str
    name: str
    severity: Severity
    title: str
    trace: str
    """The trace that showed it when the baseline was written."""
    line: int


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    findings: tuple[Known, ...]


class Baseline(msgspec.Struct, frozen=True):
    """The known findings, and the file that they stand in."""

    path: str
    known: tuple[Known, ...]
    lines: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Read a baseline.

        Raises:
            BaselineError: if it cannot be read, or is none.
        """
        try:
            text = read_bounded(path, _MOST_BYTES).decode("utf-8-sig")
            document = msgspec.json.decode(text, type=_Document)
        except OSError as error:
            raise BaselineError(f"{path}: {error.strerror}") from None
        except (ValueError, RecursionError) as error:  # msgspec.DecodeError is one
            raise BaselineError(f"{path}: not a baseline: {_fault(error)}; `tracediag baseline` writes one") from None
        if document.schema != SCHEMA:
            raise BaselineError(f"{path}: not a baseline: its schema is {document.schema!r}, not {SCHEMA}")
        return cls(path, document.findings, tuple(text.split("\n")))

    def places(self) -> dict[str, int]:
        """Return the line of each fingerprint, from 1."""
        found: dict[str, int] = {}
        for number, line in enumerate(self.lines, start=1):
            for written in _FINGERPRINT.findall(line):
                found.setdefault(written, number)
        return found


def _fault(error: Exception) -> str:
    """Return what is wrong with the text of a file, without the words of the library that decodes it."""
    match error:
        case UnicodeDecodeError():
            return "not UTF-8"
        case msgspec.ValidationError():
            place = _ENTRY.search(str(error))
            return "other keys" if place is None else f"finding {checked_integer(place[1]) + 1} lacks a key"
        case msgspec.DecodeError():
            return "not JSON"
        case RecursionError():
            return "nested too deeply"
    return str(error)


def known_of(reports: Iterable[Report]) -> tuple[Known, ...]:
    """Return an entry for each finding of some reports, those that follow from others included; each once."""
    found: dict[str, Known] = {}
    for report in reports:
        for finding in report.findings:
            found.setdefault(finding.fingerprint, _known(finding, report.input.path))
    return tuple(sorted(found.values(), key=lambda each: (each.trace, each.code, each.line, each.fingerprint)))


def _known(finding: Finding, trace: str) -> Known:
    return Known(
        fingerprint=finding.fingerprint,
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        title=finding.title,
        trace=trace,
        line=finding.primary.line,
    )


def rendered(known: Sequence[Known]) -> str:
    """Return the text of a baseline: one line for each finding, so that a diff shows which one came or went."""
    rows = ",\n".join(f"    {dump(each).strip()}" for each in known)
    listed = f"[\n{rows}\n  ]" if rows else "[]"
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": {listed}\n}}\n'
