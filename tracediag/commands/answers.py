"""What the commands share that give an answer for each trace: `files`, `grep`, `lives`, `peers`, `tree`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from tracediag.commands.errors import ExitCode
from tracediag.commands.numbers import number
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles
from tracediag.commands.traces import traces_of
from tracediag.report import Look
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.results.tables import Source

Progress = Callable[[int], None]


class Options(CommonOptions, kw_only=True):
    """What each of these commands takes."""

    traces: list[str]
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """The answer for one trace, to be printed in any form."""

    source: Source
    document: Callable[[], Iterable[str]]
    """Gives the JSON document, in pieces."""
    picture: Callable[[Look], str]
    """Gives the text."""
    counted: str = ""
    """What was counted besides lines and calls: "12 files"."""


def add_rows(parser: argparse.ArgumentParser, most: int) -> None:
    """Declare the option for the length of the lists."""
    parser.add_argument(
        "-n", "--limit", type=number, metavar="N", default=most, help=f"rows of each list; 0: all (default: {most})"
    )


def for_each(options: Options, act: Callable[[str, ReportFiles, bool], None]) -> int:
    """Act on each trace, with whether there are several; one that cannot be read does not prevent the others."""
    from tracediag.reading import UnreadableError

    code = ExitCode.CLEAN
    traces = traces_of(options.traces)
    with ReportFiles(options.report, traces) as files:
        for trace in traces:
            try:
                act(trace, files, len(traces) > 1)
            except UnreadableError as error:
                say(str(error))
                code = ExitCode.UNREADABLE
    return code


def print_answers(options: Options, ask: Callable[[str, Progress | None], Answer]) -> int:
    """Print the answer for each trace, write it to the files asked for, and tell what was read."""

    def show(trace: str, files: ReportFiles, several: bool) -> None:
        with progress_of(trace, quiet=options.quiet) as progress:
            answer = ask(trace, progress)
        for piece in _rendered(answer, options.format, look_of(sys.stdout, options.color), trace, several=several):
            write(piece)
        files.write(lambda form: _rendered(answer, form, Look(), trace, several=several))
        tell_source(options, trace, answer.source, answer.counted)

    return for_each(options, show)


def _rendered(answer: Answer, form: str, look: Look, trace: str, *, several: bool) -> Iterable[str]:
    from tracediag.report.visible import visible

    if form == "json":
        return answer.document()
    return [(f"{visible(trace)}\n" if several else "") + answer.picture(look)]


def tell_source(options: CommonOptions, trace: str, source: Source, counted: str = "") -> None:
    """Tell on standard error what was read of a trace, and what was damaged or not understood."""
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    also = f", {counted}" if counted else ""
    options.tell(f"{trace}: {plural(source.lines, 'line')}, {plural(source.calls, 'call')}{lost}{also}")
