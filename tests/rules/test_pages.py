"""Every rule's page is executed: what it says fires must fire, step by step; what it says is quiet must be quiet."""

from __future__ import annotations

import re

import pytest
from pages import HEADINGS, marks_of, traces

from tracediag.api import analyze
from tracediag.results.findings import Severity
from tracediag.rules import Rule, all_rules, find_rule

RULES = all_rules()


def test_the_marks_of_each_trace_are_those_of_what_is_found(rule: type[Rule]) -> None:
    shown = traces(rule.page())
    found = [[marks_of(finding) for finding in trace.findings(rule)] for trace in shown]
    assert found == [trace.marks_due for trace in shown]


def test_a_rule_alone_finds_the_same(rule: type[Rule]) -> None:
    """What a rule sees must not hang on notes that another rule takes: the other may not be selected."""
    shown = traces(rule.page())
    reports = [analyze([f"{line}\n" for line in trace.lines], select=[rule.name]) for trace in shown]
    found = [[marks_of(finding) for finding in report.findings] for report in reports]
    assert found == [trace.marks_due for trace in shown]


def test_page_is_whole(rule: type[Rule]) -> None:
    page = rule.page()
    assert page.startswith(f"# {rule.name} ({rule.code})\n")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == list(HEADINGS)
    quiet = [trace.quiet for trace in traces(page)]
    assert False in quiet, "a trace that shows it"
    assert True in quiet, "a trace that does not"


def test_card(rule: type[Rule]) -> None:
    assert re.fullmatch(r"TD\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", rule.name)
    assert rule.__module__.rpartition(".")[2] == rule.name.replace("-", "_")
    assert rule.severity in Severity
    assert rule.summary[0].islower() or rule.summary.split()[0].isupper() or "_" in rule.summary.split()[0]
    assert not rule.summary.endswith(".")
    assert find_rule(rule.code) is find_rule(rule.name) is rule


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


def test_unknown_rule() -> None:
    with pytest.raises(KeyError):
        find_rule("no-such-rule")
