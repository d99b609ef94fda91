"""Under each trace that a rule fires on, its page shows the report as a user sees it: the words are reviewed and held.

python -m pytest tests/rules/test_page_reports.py --rewrite-pages -k NAME     writes them after a change
"""

from __future__ import annotations

import re

import pytest
from pages import traces

from tracediag.report import Look, formatter
from tracediag.rules import Rule

WIDTH = 100
_FIRING = re.compile(r"(?P<trace>^```trace\n.*?^```\n)(?:\n```report\n.*?^```\n)?", re.MULTILINE | re.DOTALL)


def with_reports(rule: type[Rule]) -> str:
    """Return the page of a rule with what the rule now says under each trace that it fires on."""
    return _FIRING.sub(lambda found: found["trace"] + report_of(rule, found["trace"]), rule.page())


def report_of(rule: type[Rule], fence: str) -> str:
    """Return the fence with the report on the one finding of a trace."""
    (trace,) = traces(fence)
    (finding,) = trace.findings(rule)
    shown = formatter("full", Look(width=WIDTH)).finding(finding, "trace").rstrip()
    return "\n```report\n" + "".join(f"{line.rstrip()}\n" for line in shown.split("\n")) + "```\n"


def test_the_page_shows_the_report(rule: type[Rule], request: pytest.FixtureRequest) -> None:
    wanted = with_reports(rule)
    if request.config.getoption("--rewrite-pages") and wanted != rule.page():
        file = rule.page_file()
        file.write_text(file.read_text(encoding="utf-8").replace(rule.page(), wanted), encoding="utf-8")
    assert rule.page() == wanted
