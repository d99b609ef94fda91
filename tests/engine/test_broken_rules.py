"""A rule that raises loses its own findings and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tracediag.commands.judging import JudgingOptions, exit_code
from tracediag.engine import Engine
from tracediag.kernel import Action, Kernel
from tracediag.reading import read
from tracediag.results.findings import Finding, Severity, step
from tracediag.results.report import BrokenRule, Input, Report
from tracediag.rules.base import Rule, on_call, on_errno, on_trace_end

LINES = ["close(3) = 0\n", "close(4) = -1 EBADF (Bad file descriptor)\n", "close(5) = 0\n", "close(6) = 0\n"]


class Sound(Rule):
    """Reports every close."""

    code, name, severity, summary = "X1", "sound", Severity.NOTE, "for this test"

    @on_call("close")
    def closed(self, action: Action) -> Iterator[Finding]:
        yield _told(self, action)


class BreaksInACall(Sound):
    """Reports two closes, then raises."""

    code, name = "X2", "breaks-in-a-call"

    @on_call("close")
    def closed(self, action: Action) -> Iterator[Finding]:
        yield _told(self, action)
        if action.event.line == 2:
            raise ValueError("no such state\nand more")

    @on_errno("EBADF")
    def failed(self, action: Action) -> Iterator[Finding]:
        """Is not called after the other method raised on the same line."""
        raise AssertionError(action)
        yield


class BreaksAtTheEnd(Sound):
    """Raises at the end of the trace."""

    code, name = "X3", "breaks-at-the-end"

    @on_trace_end
    def ended(self, kernel: Kernel) -> Iterator[Finding]:
        raise KeyError(len(kernel.processes))
        yield


def _told(rule: Rule, action: Action) -> Finding:
    return rule.finding([step(action.call, "it is", primary=True)], object="fd", title="t", why="w", fix="f")


def _run(*rules: type[Rule], raising: bool = False) -> tuple[list[tuple[str, int]], Engine]:
    engine = Engine(rules, raising=raising)
    return [(finding.name, finding.primary.line) for finding in engine.run(read(LINES))], engine


def test_the_others_go_on_and_the_rule_is_named() -> None:
    found, engine = _run(BreaksInACall, Sound)
    assert [line for name, line in found if name == "sound"] == [1, 2, 3, 4]
    assert [line for name, line in found if name == "breaks-in-a-call"] == [1, 2]
    (broken,) = engine.broken
    assert (broken.rule, broken.line) == ("breaks-in-a-call", 2)
    assert broken.error == "ValueError: no such state and more"


def test_at_the_end_of_the_trace() -> None:
    found, engine = _run(BreaksAtTheEnd, Sound)
    assert len(found) == 8
    assert [(broken.rule, broken.error) for broken in engine.broken] == [("breaks-at-the-end", "KeyError: 1")]


def test_debug_raises() -> None:
    with pytest.raises(ValueError, match="no such state"):
        _run(BreaksInACall, raising=True)
    with pytest.raises(KeyError):
        _run(BreaksAtTheEnd, raising=True)


def test_the_exit_code_is_2_whatever_was_found_and_asked_for() -> None:
    broken = Report(input=Input(path="t"), broken=(BrokenRule(rule="r", line=1, error="KeyError: 1"),))
    sound = Report(input=Input(path="t"))
    for options in (JudgingOptions(), JudgingOptions(exit_zero=True), JudgingOptions(fail_on="never")):
        assert exit_code([sound, broken], options) == 2
        assert exit_code([sound], options) == 0
