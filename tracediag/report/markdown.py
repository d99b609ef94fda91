"""Markdown for the summary of a CI job: a table of the findings, then each with its chain, folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from tracediag.report.document_format import DocumentFormat
from tracediag.report.fate import failure_of
from tracediag.report.shorten import shorten
from tracediag.report.stacks import place_of, stack_of
from tracediag.report.visible import visible
from tracediag.results.findings import Finding, Step
from tracediag.results.report import Report
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.quantities import plural

MOST_BYTES = 1024 * 1024
"""A longer step summary is lost whole: docs.github.com, "Workflow commands", 1 MiB a step."""
_RESERVE = 4096
"""Bytes for the sentence that says what was cut, and for what other tools write to the same summary."""
_ROWS = 500
_LONGEST = 2000
"""Characters of one text."""
_RECORD = 300
_ACTIVE = lazy_pattern(r"[\\`*_\[\]~@#|<>&]|(?<=www)\.|:(?=//)")
"""What Markdown gives a meaning in the middle of a line, and what GitHub does: mentions, references, links."""


class MarkdownFormat(DocumentFormat):
    """A table, then the findings."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the summary; what does not fit is counted."""
        groups = [(report, *group) for report in reports for group in report.folded]
        opening = "".join(map(_opening, reports)) + _table([(report, cause) for report, cause, _ in groups])
        yield opening
        left = MOST_BYTES - _RESERVE - len(opening.encode())
        for shown, (report, cause, followers) in enumerate(groups):
            text = _details(report.input.path, cause, followers)
            left -= len(text.encode())
            if left < 0:
                yield f"\n{len(groups) - shown:,} further findings do not fit into a summary of 1 MiB.\n"
                return
            yield text
        for report in reports:
            text = _here(report)
            left -= len(text.encode())
            if text and left >= 0:
                yield text


def _opening(report: Report) -> str:
    trace, count = report.input, len(report.causes)
    found = f"{count:,} finding{'' if count == 1 else 's'}" if count else "no findings"
    lines = [f"**{_plain(trace.path)}**: {found} in {plural(trace.lines, 'line')}"]
    failure = failure_of(report)
    lines += [f"**Failed**: {_plain(failure)}"] if failure is not None else []
    lines += [f"Not read: {_plain(trace.doubt)}"] if trace.doubt is not None else []
    lines += [f"Damaged: {_plain(trace.damage)}"] if trace.damage is not None else []
    lines += [f"The rule {_plain(broken.rule)} failed: {_plain(broken.error)}" for broken in report.broken]
    return "\n\n".join(lines) + "\n\n"


def _table(rows: Sequence[tuple[Report, Finding]]) -> str:
    if not rows:
        return ""
    lines = ["| severity | finding | confidence | place |", "|---|---|---|---|"]
    for report, cause in rows[:_ROWS]:
        place = _plain(_where(report.input.path, cause))
        title = f"{cause.code} {_plain(cause.name)}: {_plain(cause.title)}"
        lines.append(f"| {cause.severity} | {title} | {cause.confidence} | {place} |")
    if len(rows) > _ROWS:
        lines.append(f"| | {len(rows) - _ROWS:,} more | | |")
    return "\n".join(lines) + "\n\n"


def _where(path: str, cause: Finding) -> str:
    """Return the line of code that a finding is about, where it is known, and the line of the trace."""
    place, recorded = place_of(cause), f"{path}:{cause.primary.line}"
    return recorded if place is None else f"{place.path}:{place.line} ({recorded})"


def _details(path: str, cause: Finding, followers: Sequence[Finding]) -> str:
    """Return one finding, folded: a click shows its chain."""
    head = html.escape(visible(f"{cause.severity} {cause.code} {cause.name}: {cause.title}"[:_LONGEST]))
    lines = [f"<details><summary>{head}</summary>", ""]
    lines += [f"{_plain(_where(path, cause))}  {_plain(cause.object)}  confidence: {cause.confidence}", ""]
    lines += _fenced(cause.steps)
    lines += ["", f"**why** {_plain(cause.why)}", "", f"**fix** {_plain(cause.fix)}", ""]
    lines += [f"**also** {_plain(each.name)} at line {each.primary.line}: {_plain(each.title)}\n" for each in followers]
    lines += [f"{cause.count:,} of this kind; the steps show the first.\n"] if cause.count > 1 else []
    return "\n".join([*lines, "</details>", "", ""])


def _here(report: Report) -> str:
    """Return what the living host shows, apart from the findings: it is no part of the evidence."""
    here = report.here
    if here is None:
        return ""
    when = here.time.replace("T", " ").replace("Z", " UTC")
    lines = [f"**now, on this host ({_plain(here.host)}, {when})**: no part of the evidence", ""]
    for look in here.looks:
        what = f" {_plain(look.object)}" if look.object else ""
        lines.append(f"- line {look.line:,}: {_plain(look.call)}{what} ({_plain(look.errno or 'it waits')})")
        lines += [f"    - {_plain(fact)}" for fact in look.facts]
    lines += [] if here.looks else ["- no failed call of a finding names a thing that can be looked at"]
    return "\n".join([*lines, "", ""])


def _fenced(steps: Sequence[Step]) -> list[str]:
    """Return the chain as code, in a fence longer than any row of backticks in it."""
    width = max(len(f"{step.line:,}") for step in steps)
    rows = []
    for step in steps:
        mark = ">" if step.primary else " "
        rows.append(f"{mark} {step.line:>{width},}  {visible(shorten(step.text, _RECORD))}")
        rows.append(f"  {'':>{width}}  {visible(step.note[:_LONGEST])}")
        if stack := stack_of(step.stack):
            rows.append(f"  {'':>{width}}  at {stack}")
    longest = max((len(row) for row in re.findall(r"`+", "\n".join(rows))), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *rows, fence]


def _plain(text: str) -> str:
    """Return text in which nothing is Markdown or HTML."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return _ACTIVE.sub(r"\\\g<0>", visible(cut))
