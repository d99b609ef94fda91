"""What users read is plain English: stilted words stand in no finding and on no page."""

from __future__ import annotations

import re

from pages import traces

from tracediag.results.findings import Finding
from tracediag.rules import Rule, all_rules
from tracediag.rules.readings import heads, meanings

RULES = all_rules()
_STILTED = re.compile(
    r"\b(anew|whoever|nobody|somebody|anybody|who|whose|whom|time-outs?|at once|goes on|go on|went on|"
    r"given up|gives up|give up|"
    r"all the same|passed over|passes over|broken off|breaks off|in vain|what for|upon|hence|thus|the like|"
    r"makes? known|tells? of|told of|tells|told|behind)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(you|your|we|our|I|me|my)\b")
_VAGUE = re.compile(r"(?<![.\w])(it|its|itself|so|that one)\b")
_MANUAL = re.compile(r"\b[\w.]+\(\d[a-z]?\)|asm-generic|RFC \d+|kernel/|fs/|Documentation/")
_BARE_NUMBER = re.compile(r"(?<![\w.,:#/<\[-])(?<!pid )(?<!child )(?<!process )(?<!user )\d{5,}(?![\w.:-])")


def findings(rule: type[Rule]) -> list[Finding]:
    """All that a rule says on its own page."""
    return [found for trace in traces(rule.page()) if not trace.quiet for found in trace.findings(rule)]


def test_what_a_rule_says_is_plain_and_has_a_source(rule: type[Rule]) -> None:
    for found in findings(rule):
        assert not _VAGUE.search(found.title), found.title
        assert not _BARE_NUMBER.search(found.title), found.title
        assert _MANUAL.search(found.why), found.why
        for text in (found.title, found.why, found.fix, *(step.note for step in found.steps)):
            shown = re.sub(r'"[^"]*"|`[^`]*`', "", text)
            assert not _STILTED.search(shown), text
            assert not _PERSONAL.search(shown), text
            assert not shown.rstrip().endswith("."), text
            assert not re.match(r"[A-Z][a-z]", shown), text


def test_pages_and_summaries_are_plain(rule: type[Rule]) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", rule.page(), flags=re.MULTILINE | re.DOTALL)
    prose = re.sub("|".join(known.name for known in RULES), "", prose)
    for text in (rule.summary, *prose.split("\n")):
        assert not _STILTED.search(text), text


def test_the_meanings_of_errors_are_plain() -> None:
    readings = [text for head in heads().values() for one in head.readings for text in (one.says, one.why, one.fix)]
    for text in (*readings, *(text for meaning in meanings().values() for text in (meaning.why, meaning.fix))):
        assert not _STILTED.search(text), text
        assert not _PERSONAL.search(text), text
    for head in heads().values():
        for reading in head.readings:
            assert _MANUAL.search(reading.why), reading.why
