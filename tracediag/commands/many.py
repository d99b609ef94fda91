"""Many traces at a time, for `analyze -j`: processes that are copies of this one analyse them.

They are started by fork, so that rules of the user's own, which no other process could be handed, are there as well.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from tracediag.commands.analysing import name_of, reason
from tracediag.commands.errors import ExitCode
from tracediag.commands.hiding import secrets_if
from tracediag.commands.inforce import Applied
from tracediag.commands.judging import JudgingOptions
from tracediag.commands.output import say
from tracediag.commands.progress import progress_of_many
from tracediag.commands.publishing import Publisher
from tracediag.results.many import Unread
from tracediag.results.report import Report
from tracediag.trace.numbers import checked_integer

if TYPE_CHECKING:
    from tracediag.accepting.acceptance import Counted
    from tracediag.reading import Source
    from tracediag.redaction import Secrets

Judge = Callable[["str | Source", "Secrets | None"], Report]
_MOST_JOBS = 4096


class _Judged(msgspec.Struct, frozen=True):
    """The report on a trace, and what was counted of ignores and baseline meanwhile."""

    report: Report
    counted: Counted | None


class _Work:
    """What the workers share, as it was when they were started."""

    judge: Callable[[str], _Judged | Unread]


def number_of_jobs(text: str) -> int:
    """Return the number of processes that -j names. Raises `ArgumentTypeError`."""
    if text == "auto":
        return os.cpu_count() or 1
    if not (text.isascii() and text.isdigit() and 1 <= checked_integer(text) <= _MOST_JOBS):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number from 1 to {_MOST_JOBS} nor auto")
    return checked_integer(text)


def judge_many(
    sources: list[str | Source],
    options: JudgingOptions,
    applied: Applied,
    publisher: Publisher,
    judge: Judge,
    jobs: int,
) -> tuple[list[Report], ExitCode]:
    """Analyse the traces, `jobs` at a time; return the reports in order, and the code for those not analysed."""
    by_name = {name_of(source): source for source in sources}
    _Work.judge = lambda name: _judged(by_name[name], options, applied, judge)
    reports: list[Report] = []
    code = ExitCode.CLEAN
    with progress_of_many(len(by_name), quiet=options.quiet) as advance:
        for result in _results(list(by_name), jobs):
            advance()
            if isinstance(result, Unread):
                say(f"{result.path}: {result.error}")
                publisher.tell_unread(result)
                code = ExitCode.UNREADABLE
                continue
            if applied.acceptance is not None and result.counted is not None:
                applied.acceptance.add(result.counted)
            publisher.publish(result.report)
            reports.append(result.report)
    return reports, code


def _results(names: list[str], jobs: int) -> Iterator[_Judged | Unread]:
    """Yield the results; if this process is stopped, its workers are too."""
    import multiprocessing

    from tracediag.library.many import own_workers

    try:
        yield from own_workers(_work, names, jobs, multiprocessing.get_context("fork"))
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.kill()
        raise


def _work(name: str) -> _Judged | Unread:
    return _Work.judge(name)


def _judged(source: str | Source, options: JudgingOptions, applied: Applied, judge: Judge) -> _Judged | Unread:
    from tracediag.reading import NotUnderstoodError, UnreadableError

    secrets = secrets_if(options.redact)
    try:
        report = judge(source, secrets)
    except (UnreadableError, NotUnderstoodError) as error:
        name = name_of(source)
        return Unread(name, reason(source, error, secrets).removeprefix(f"{name}: "))
    counted = None if applied.acceptance is None else applied.acceptance.take_counted()
    return _Judged(report, counted)
