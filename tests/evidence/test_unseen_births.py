"""Processes whose birth a filter hides hold copies; a filter that hides a kind of calls hides their success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Severity

RECORDED = Path(__file__).parent / "recorded"


def severities(name: str) -> dict[str, Severity]:
    report = analyze(RECORDED / f"{name}.strace")
    return {finding.name: finding.severity for finding in report.findings}


@pytest.mark.parametrize("name", ["reply.desc", "reply.process"])
def test_a_closed_copy_is_no_loss_if_the_process_may_become_another_program(name: str) -> None:
    assert severities(name).get("use-after-close") is Severity.NOTE


def test_a_closed_copy_is_an_error_if_the_process_stays_the_same_program() -> None:
    assert severities("reply.stays")["use-after-close"] is Severity.ERROR


def test_an_accept_would_not_show_where_no_call_of_the_network_does() -> None:
    assert "ready-not-served-spin" not in severities("prefork.file")
    assert "ready-not-served-spin" in {blind.rule for blind in analyze(RECORDED / "prefork.file.strace").blind}


def test_children_may_be_ignored_where_no_signal_action_would_show() -> None:
    assert "child-not-reaped" not in severities("ignoring.process")
