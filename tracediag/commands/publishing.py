"""Writes reports: to standard output, to the report files, and their summaries to standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Self

import msgspec

from tracediag.commands.hiding import secrets_if, shown
from tracediag.commands.judging import JudgingOptions
from tracediag.commands.output import say, write
from tracediag.commands.reports import ReportFiles
from tracediag.report import FORMATS, Format, Look, as_document, formatter
from tracediag.report.summary import summary, summary_of_entries, summary_of_many
from tracediag.results.findings import Finding
from tracediag.results.many import ManyReport, Unread, report_on_many
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.analysis import Analysis
    from tracediag.here.symbols import Symbols
    from tracediag.redaction import Secrets


class Publisher:
    """Writes each report to standard output and the report files, and its summary to standard error.

    A context manager: the files are renamed into place if it ends without an error.
    """

    def __init__(self, options: JudgingOptions, look: Look, inputs: Iterable[str] = (), *, many: bool = False) -> None:
        """Open the files.

        Args:
            options: where the reports go, and in which form.
            look: what standard output can show.
            inputs: the traces, which no report may replace.
            many: whether the formats that can do so tell what the traces have in common, in place of each of them.

        Raises:
            UsageError: if a file cannot be written, is a trace, or is named twice.
        """
        self._options, self._look, self._many = options, look, many
        self._formatter = formatter(options.format or FORMATS[0], look)
        self._reports: list[Report] = []
        self._entries: list[Report] = []
        self._unread: list[Unread] = []
        self._files = ReportFiles(options.report or (), inputs)
        self._symbols = _symbols() if options.symbols else None

    def __enter__(self) -> Self:
        self._files.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and (self._reports or self._unread):
            self._write_together()
        self._files.__exit__(kind)

    @property
    def is_live(self) -> bool:
        """Whether findings can be written before the report is complete."""
        return self._formatter.live

    def publish(self, report: Report) -> None:
        """Write the report on a trace, without secrets if it is to have none, or keep it for a document of all."""
        report = self._sourced(report)
        self._write(report)
        self._file(report)

    def publish_entry(self, report: Report) -> None:
        """Write the report on the entries of a configuration or a baseline, or keep it like that on a trace."""
        report = shown(report, secrets_if(self._options.redact))
        self._write(report)
        self._entries.append(report)
        self._copy(report)
        self._options.tell(summary_of_entries(report))

    def _write(self, report: Report) -> None:
        if self._together(self._options.format or FORMATS[0], self._look) is None:
            for piece in self._formatter.report(report):
                write(piece)

    def tell_unread(self, unread: Unread) -> None:
        """Keep a trace that could not be analysed for the report on many."""
        self._unread.append(unread)

    def _write_together(self) -> None:
        """Write the documents that hold all reports, and what many traces have in common."""
        if (render := self._together(self._options.format or FORMATS[0], self._look)) is not None:
            for piece in render():
                write(piece)

        def rendered(name: str) -> Iterable[str]:
            render = self._together(name)
            return () if render is None else render()

        self._files.write(rendered)
        if self._many:
            self._options.tell(summary_of_many(self._common()))

    def _together(self, name: str, look: Look | None = None) -> Callable[[], Iterator[str]] | None:
        """Return what renders all reports together in a format; None if each report stands for itself."""
        form = as_document(formatter(name))
        if form is not None:
            return lambda: form.document([*self._reports, *self._entries])
        if not self._many:
            return None
        from tracediag.report.many import render_many

        render = render_many(name, look)
        return None if render is None else lambda: self._in_common(render, formatter(name, look))

    def _in_common(self, render: Callable[[ManyReport], Iterator[str]], form: Format) -> Iterator[str]:
        yield from render(self._common())
        for entry in self._entries:
            yield from form.report(entry)

    def _common(self) -> ManyReport:
        return report_on_many((*self._reports, *self._unread))

    def publish_live(
        self, analysis: Analysis, path: str, finish: Callable[[Report], Report], secrets: Secrets | None
    ) -> Report:
        """Write each finding as soon as it is found, and at the end their ranking; return the report, finished.

        Of the secrets of the trace a finding lacks those that the trace has given away so far.
        """
        written: list[str] = []
        show = self._finding_shown(path, secrets)
        for finding in analysis:
            # Which of the findings that it may explain will follow is not known yet.
            write(self._formatter.finding(show(msgspec.structs.replace(finding, explains=())), path))
            written.append(finding.fingerprint)
        report = self._sourced(finish(analysis.report()))
        write(self._formatter.opening(report))
        write(self._formatter.closing(report))
        ranked = report.findings
        if written != [finding.fingerprint for finding in ranked]:
            self._options.tell("ranked: " + ", ".join(f"{finding.name} ({finding.count:,})" for finding in ranked))
        self._file(report)
        return report

    def _sourced(self, report: Report) -> Report:
        """Return the report with the lines of source code of its steps, if they are asked for."""
        return report if self._symbols is None else self._symbols.report(report)

    def _finding_shown(self, path: str, secrets: Secrets | None) -> Callable[[Finding], Finding]:
        """Return what makes of a finding what is to be written, as `shown` does of a report."""
        find = _same if self._symbols is None else partial(_sourced, self._symbols, path)
        if secrets is None:
            return find
        from tracediag.redaction import redacted

        redactor = secrets.redactor()
        return lambda finding: redacted(find(finding), redactor)

    def _file(self, report: Report) -> None:
        self._reports.append(report)
        self._copy(report)
        if report.input.damage is not None:
            say(f"{report.input.path}: {report.input.damage}")
        if not self._many:
            self._options.tell(summary(report))

    def _copy(self, report: Report) -> None:
        """Write a report to the files whose format has a text for each."""
        self._files.write(lambda name: () if self._together(name) else formatter(name).report(report))


def _symbols() -> Symbols:
    from tracediag.here.symbols import Symbols

    return Symbols(say)


def _sourced(symbols: Symbols, path: str, finding: Finding) -> Finding:
    return symbols.findings((finding,), path)[0]


def _same(finding: Finding) -> Finding:
    return finding
