"""Write the findings of traces to a file: the known ones, beside which only new ones fail.

    tracediag baseline traces/*.strace --write tracediag-baseline.json
    tracediag analyze --baseline tracediag-baseline.json traces/*.strace

With --baseline, `analyze` and `run` leave out the findings that the file holds: only new ones are reported and fail.
A finding is known by its fingerprint, which pids, times, numbers and addresses do not change. --baseline-strict lets
the file only shrink: findings that it does not hold are told, not added, and the exit code is 1. What the configuration
ignores is not written.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracediag.commands.analysing import analysis_of, name_of
from tracediag.commands.errors import CommandError, ExitCode, UsageError
from tracediag.commands.inforce import Applied, in_force
from tracediag.commands.judging import JudgingOptions, add_selection
from tracediag.commands.outfiles import key_of, keys_of, open_file
from tracediag.commands.progress import progress_of
from tracediag.commands.traces import add_traces, traces_of
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.accepting import Known
    from tracediag.reading import Source
    from tracediag.results.report import Report


class Options(JudgingOptions, kw_only=True):
    """What `tracediag baseline` takes."""

    traces: list[str]
    write: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--write", metavar="FILE", help="the baseline (default: the key `baseline` of the configuration)"
    )
    parser.add_argument(
        "--baseline-strict", action="store_true", help="remove what is fixed from FILE, and add nothing to it"
    )
    add_selection(parser)


def run(options: Options) -> int:
    """Analyse the traces, and write what they show; a trace that cannot be read leaves the file as it was."""
    from tracediag.accepting.baseline import known_of, rendered
    from tracediag.reading import grouped

    configured, _ = in_force(options)
    path = options.write or configured.baseline
    if not path:
        raise UsageError("no FILE to write: tracediag baseline TRACE... --write FILE")
    options.baseline = ""  # what the file holds is to be found again
    options, applied = in_force(options)
    traces = traces_of(options.traces)
    if key_of(path) in set(keys_of(traces)):
        raise UsageError(f"{path}: this is a trace, not a place for a baseline")
    before = _before(path)
    found = known_of([_report(each, options, applied) for each in grouped(traces)])
    known, added = _shrunk(before, found) if options.baseline_strict else (found, ())
    _write(path, rendered(known))
    _tell(path, before, known, options)
    for each in added:
        options.tell(f"{path}: not added: {each.name} of {each.trace}:{each.line}: {each.title}")
    return ExitCode.FINDINGS if added else ExitCode.CLEAN


def _report(source: str | Source, options: Options, applied: Applied) -> Report:
    with progress_of(name_of(source), quiet=options.quiet) as progress:
        analysis = analysis_of(source, options, applied, progress=progress)
        for _ in analysis:
            pass
        report = analysis.report()
    if report.broken:
        raise CommandError(f"{report.input.path}: the rule {report.broken[0].rule} failed: {report.broken[0].error}")
    return report


def _before(path: str) -> tuple[Known, ...]:
    """Return what the file holds so far; nothing if there is none."""
    from tracediag.accepting import Baseline, BaselineError

    if not os.path.lexists(path) or not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where a name is too long
        return ()
    try:
        return Baseline.read(path).known
    except BaselineError as error:
        raise UsageError(f"{error}; it is not replaced") from None


def _shrunk(before: Sequence[Known], found: Sequence[Known]) -> tuple[tuple[Known, ...], tuple[Known, ...]]:
    """Return what stays of the file, and what it does not hold."""
    held = {each.fingerprint for each in before}
    return (
        tuple(each for each in found if each.fingerprint in held),
        tuple(each for each in found if each.fingerprint not in held),
    )


def _write(path: str, text: str) -> None:
    file = open_file(path)
    try:
        file.write(text)
        file.commit()
    except OSError as error:
        file.discard()
        raise CommandError(f"{path}: {error.strerror}") from error


def _tell(path: str, before: Sequence[Known], known: Sequence[Known], options: Options) -> None:
    kept = {each.fingerprint for each in known}
    gone = sum(each.fingerprint not in kept for each in before)
    options.tell(f"{path}: {plural(len(known), 'finding')}" + (f", {gone:,} removed" if gone else ""))
