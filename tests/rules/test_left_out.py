"""What a cut or a filter leaves out has not happened unseen: no finding comes up that the whole recording lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.grades import Severity

SAMPLES = Path(__file__).parents[2] / "samples"
Cut = Callable[[list[str]], list[str]]


def loud(sample: str, cut: Cut) -> set[str]:
    """Return the rules of the errors and warnings of what is left of a sample."""
    lines = (SAMPLES / f"{sample}.strace").read_text().splitlines(keepends=True)
    left = cut(lines)
    assert 0 < len(left) < len(lines)
    return {found.name for found in analyze(left).findings if found.severity is not Severity.NOTE}


def only(*names: str) -> Cut:
    """Keep the calls of these names, as `-e trace=` does, and all signals and exits."""
    kept = re.compile(rf"\d+ +(?:[\d.]+ )?(?:(?:<\.\.\. )?(?:{'|'.join(names)})[( ]|---|\+\+\+)")
    return lambda lines: [line for line in lines if kept.match(line)]


def failures(lines: list[str]) -> list[str]:
    """Keep what failed: `-Z`."""
    return [line for line in lines if " = -1 E" in line or re.search(r" (?:---|\+\+\+) ", line)]


def successes(lines: list[str]) -> list[str]:
    """Keep what did not fail: `-z`."""
    return [line for line in lines if " = -1 E" not in line]


def between(first: int, last: int) -> Cut:
    return lambda lines: lines[first - 1 : last]


@pytest.mark.parametrize(
    ("sample", "cut", "rule"),
    [
        ("mapping-truncated/bug", only("execve", "clone", "wait4", "kill"), "exec-broke-process"),
        ("edge-triggered-accept-once/bug.f", failures, "use-after-reset"),
        ("accept-emfile-spin/fixed", failures, "accept-error-ends-server"),
        ("accept-emfile-spin/bug", successes, "ready-not-served-spin"),
        (
            "backlog-too-small/fixed-children",
            only("socket", "bind", "listen", "connect", "accept"),
            "backlog-too-small",
        ),
        ("write-after-peer-closed/bug", between(44, 55), "edge-triggered-accept-once"),
        ("epoll-ctl-misuse/kinds.f", between(27, 50), "zero-timeout-polling"),
        ("epollserver/use-after-reset.f", between(788, 811), "failing-call-spin"),
        ("half-closed-leak/bug.f", between(35, 76), "peer-not-responding"),
        ("writable-interest-left-on/client.f", between(40, 63), "peer-not-responding"),
        ("epollserver/use-after-reset.f", between(778, 819), "termination-ignored"),
        ("closed-fd-polled/bug.f", between(30, 145), "child-not-reaped"),
        ("send-without-nosignal/fixed.f", between(33, 56), "failed-call-behind-exit"),
    ],
)
def test_nothing_new_comes_up(sample: str, cut: Cut, rule: str) -> None:
    assert rule not in loud(sample, cut)


def test_a_stop_is_told_once() -> None:
    """The parent's SIGCHLD tells of the stop again where the clone that made the child is cut off."""
    lines = (SAMPLES / "stopped-by-terminal/bug.f.strace").read_text().splitlines(keepends=True)
    names = [found.name for found in analyze(lines[445:]).findings]
    assert names.count("stopped-by-terminal") == 1
