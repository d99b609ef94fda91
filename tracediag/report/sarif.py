"""SARIF 2.1.0, for code scanning: one run for all traces, each finding a result with its chain as a code flow.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from tracediag.report.document import dump
from tracediag.report.document_format import DocumentFormat
from tracediag.report.sarif_places import flow, places_of, text_of
from tracediag.report.visible import visible
from tracediag.results.findings import Finding
from tracediag.results.grades import Confidence, Severity
from tracediag.results.report import CommandEnd, Report, RuleCard
from tracediag.trace.shell import joined

MOST_RESULTS = 5_000
"""Of more results in a run, GitHub drops some: docs.github.com, "SARIF results exceed limits"."""
MOST_STEPS = 1_000
"""Of more steps of a flow, likewise."""
MOST_TAGS = 10
"""Of more tags of a rule, likewise."""
_LONGEST = 8_192
"""Characters of one text: a result is read by a person."""
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_RANKS: dict[Confidence, float] = {Confidence.CERTAIN: 90.0, Confidence.LIKELY: 60.0, Confidence.POSSIBLE: 30.0}
"""The priority of a result, from 0 to 100, by the strength of its proof."""
_PRECISIONS: dict[Confidence, str] = {
    Confidence.CERTAIN: "very-high",
    Confidence.LIKELY: "high",
    Confidence.POSSIBLE: "medium",
}


class SarifFormat(DocumentFormat):
    """One log with one run."""

    def document(self, reports: Sequence[Report]) -> Iterator[str]:
        """Render the log."""
        cards: dict[str, RuleCard] = {}
        for report in reports:
            cards.update(report.rules)
        found = [(report, finding) for report in reports for finding in report.findings]
        kept = found
        if len(found) > MOST_RESULTS:
            kept = sorted(found, key=lambda pair: pair[1].severity.rank)[:MOST_RESULTS]
        names = list(dict.fromkeys(finding.name for _, finding in kept))
        places = {name: place for place, name in enumerate(names)}
        codes = {finding.name: finding.code for _, finding in kept}
        rules = [_rule(name, codes[name], cards.get(name)) for name in names]
        notices = [*_unread(reports), *([_notice("warning", _cut(len(found)))] if len(kept) < len(found) else [])]
        run = {
            "tool": {"driver": {"name": "tracediag", "version": version("tracediag"), "rules": rules}},
            "invocations": _invocations(reports, notices),
            "columnKind": "unicodeCodePoints",
            "results": [_result(report.input.path, finding, places[finding.name]) for report, finding in kept],
        }
        yield dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(name: str, code: str, card: RuleCard | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code, "name": name.title().replace("-", "")}
    if card is None:
        return rule
    return rule | {
        "shortDescription": text_of(card.summary),
        "fullDescription": text_of(card.meaning or card.summary),
        "help": {"text": _help(name, card), "markdown": card.help or _help(name, card)},
        "defaultConfiguration": {"level": _LEVELS[card.severity]},
        "properties": {"tags": list(card.tags[:MOST_TAGS]), "precision": _PRECISIONS[Confidence.CERTAIN]},
    }


def _help(name: str, card: RuleCard) -> str:
    return f"{card.meaning or card.summary} More: tracediag explain {name}"


def _result(path: str, finding: Finding, place: int) -> dict[str, Any]:
    steps = finding.steps[:MOST_STEPS]
    return {
        "ruleId": finding.code,
        "ruleIndex": place,
        "level": _LEVELS[finding.severity],
        "rank": _RANKS[finding.confidence],
        "message": text_of(f"{finding.title}. Why: {finding.why}. Fix: {finding.fix}"),
        **places_of(path, finding, steps),
        "codeFlows": [{"threadFlows": [{"locations": [flow(path, step) for step in steps]}]}],
        "partialFingerprints": {"tracediag/v1": finding.fingerprint},
        "occurrenceCount": finding.count,
        "properties": _properties(finding),
    }


def _properties(finding: Finding) -> dict[str, Any]:
    held = {
        "confidence": str(finding.confidence),
        "object": visible(finding.object[:_LONGEST]),
        "why": visible(finding.why[:_LONGEST]),
        "fix": visible(finding.fix[:_LONGEST]),
    }
    return held if finding.explained_by is None else held | {"explainedBy": finding.explained_by}


def _invocations(reports: Sequence[Report], notices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the commands that were recorded, else an entry for the analysis itself; the first has the notices."""
    sound = not any(report.broken for report in reports)
    ran = [_invocation(report.command, sound=sound) for report in reports if report.command is not None]
    first, *others = ran or [{"executionSuccessful": sound}]
    return [first | ({"toolExecutionNotifications": notices} if notices else {}), *others]


def _invocation(command: CommandEnd, *, sound: bool) -> dict[str, Any]:
    held: dict[str, Any] = {
        "executionSuccessful": sound,
        "commandLine": visible(joined(command.argv)),
        "arguments": [visible(argument) for argument in command.argv[1:]],
    }
    if command.status is not None:
        held["exitCode"] = command.status
    if command.signal is not None:
        held["exitSignalName"] = command.signal
    return held


def _unread(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """Yield what readers must know of the traces: rules that failed, and lines that were not read."""
    for report in reports:
        path = report.input.path
        for broken in report.broken:
            yield _notice("error", f"{path}: the rule {broken.rule} failed: {broken.error}")
        for said in (report.input.doubt, report.input.damage):
            if said is not None:
                yield _notice("warning", f"{path}: {said}")


def _notice(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": text_of(text)}


def _cut(count: int) -> str:
    return f"{count:,} findings; the worst {MOST_RESULTS:,} are shown"
