"""Assertions about a report and its trace; a failure shows the calls, or the findings with their chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from tracediag.library.calls import Calls
from tracediag.library.trace import open_trace
from tracediag.report import formatter
from tracediag.results.findings import Finding
from tracediag.results.limits import parse_limits
from tracediag.results.report import Report
from tracediag.rules import find_rules
from tracediag.trace.quantities import plural

_SHOWN = 5
"""Calls that a failure shows."""


def assert_no_call(report: Report, *names: str, where: str | None = None) -> None:
    """Assert that the program makes no call of these names or classes ("%network").

    Args:
        report: of `strace.run` or `analyze`, whose trace is still there.
        names: the calls; without names, all calls.
        where: a condition in the language of docs/query.md: 'errno == EPERM'.

    Raises:
        AssertionError: with the first of the calls.
        QueryError: if `names` or `where` are not of the language.
        UnreadableError: if the trace is gone.
    """
    assert_max_calls(report, 0, *names, where=where)


def assert_max_calls(report: Report, most: int, *names: str, where: str | None = None) -> None:
    """Assert that the program makes at most so many calls; else as `assert_no_call`."""
    calls = _calls(report, names, where)
    if (count := calls.count()) <= most:
        return
    allowed = f"at most {most:,} allowed" if most else "none allowed"
    shown = [f"  {report.input.path}:{call.line}: {call.text}" for call in islice(calls, _SHOWN)]
    more = [f"  and {count - _SHOWN:,} more"] if count > _SHOWN else []
    raise AssertionError("\n".join([f"{_said(names, where)}: {count:,}, {allowed}", *shown, *more]))


def assert_no_finding(
    report: Report, *, select: str | Iterable[str] = (), ignore: str | Iterable[str] = (), fail_on: str = "warning"
) -> None:
    """Assert that a report has no finding, or fewer than a limit.

    Args:
        report: of `strace.run`, `analyze` or another analysis.
        select: only the findings of these rules: names, codes, prefixes or families.
        ignore: not the findings of these rules.
        fail_on: what counts, as with the option of that name: "error:likely", "warning>=3".

    Raises:
        AssertionError: with the findings as the report for a terminal shows them.
        UnknownRuleError: if a rule is named that does not exist.
        ValueError: if `fail_on` is no limit.
    """
    __tracebackhide__ = True
    wanted = {rule.name for rule in find_rules(select)}
    left_out = {rule.name for rule in find_rules(ignore)}
    found = [each for each in report.causes if (not wanted or each.name in wanted) and each.name not in left_out]
    if any(limit.reached([found]) for limit in parse_limits(fail_on)):
        raise AssertionError(f"{_counted(found)}\n{shown(report, found)}")


def _counted(findings: list[Finding]) -> str:
    """Return the first line of a failure, which pytest repeats in its summary: "2 findings: double-close, sigpipe"."""
    names = ", ".join(dict.fromkeys(each.name for each in findings))
    return f"{plural(len(findings), 'finding')}: {names}"


def shown(report: Report, findings: Iterable[Finding]) -> str:
    """Return findings of a report as text for a person, each with its chain."""
    return "".join(_shown(report, findings)).rstrip()


def _shown(report: Report, findings: Iterable[Finding]) -> Iterator[str]:
    chosen = {each.fingerprint for each in findings}
    form = formatter("full")
    for cause, followers in report.folded:
        if cause.fingerprint in chosen:
            yield form.finding(cause, report.input.path, followers)
    yield form.closing(msgspec.structs.replace(report, blind=(), advice=None))


def _calls(report: Report, names: tuple[str, ...], where: str | None) -> Calls:
    calls = open_trace(report.input.path).calls(*names)
    return calls if where is None else calls.where(where)


def _said(names: tuple[str, ...], where: str | None) -> str:
    what = f"calls of {', '.join(names)}" if names else "calls"
    return what if where is None else f"{what} where {where}"
