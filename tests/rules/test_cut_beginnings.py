"""A recording of which the beginning is cut off loses confidence, not its findings: what is older shows by its use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze
from tracediag.results.grades import Confidence, Severity

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize(
    ("recording", "lost", "rule", "severity", "confidence"),
    [
        ("pipe-end-kept-open/bug.f", "pipe2(", "pipe-end-kept-open", "error", "possible"),
        ("pipe-end-kept-open/bug", "pipe2(", "pipe-end-kept-open", "error", "possible"),
        ("pipe-end-kept-open/bug-background.f", "pipe2(", "pipe-end-kept-open", "error", "possible"),
        ("pipe-end-kept-open/bug", "clone(", "child-not-reaped", "note", "likely"),
        ("epoll-set-shared-after-fork/bug.f", "EPOLL_CTL_ADD", "epoll-set-shared-after-fork", "error", "likely"),
        ("failed-open-not-checked/bug-parenthesis.f", "socket(", "failed-open-not-checked", "error", "possible"),
        ("setfl-setfd-confused/bug.f", "pipe2(", "setfl-setfd-confused", "warning", "possible"),
        ("setfl-setfd-confused/bug-getfd.f", "socketpair(", "setfl-setfd-confused", "note", "likely"),
        ("privilege-drop-flawed/bug.f", "setuid(", "privilege-drop-flawed", "warning", "possible"),
        ("replace-without-fsync/directory", "O_EXCL", "replace-without-fsync", "warning", "likely"),
        ("replace-without-fsync/directory.f", "O_EXCL", "replace-without-fsync", "warning", "possible"),
        ("standard-stream-replaced/bug-file.f", "O_RDWR|O_CREAT", "standard-stream-replaced", "error", "likely"),
        ("double-close/bug-threads.f", "app.log", "use-after-close", "error", "likely"),
        ("ready-not-served-spin/bug.f", "pipe2(", "ready-not-served-spin", "error", "certain"),
        ("timer-disarmed/bug.f", "timerfd_create(", "timer-disarmed", "warning", "likely"),
        ("blocked-write/bug.f", "tv_sec=30", "blocked-write", "warning", "possible"),
        ("input-truncated-by-redirection/bug", "O_TRUNC", "input-truncated-by-redirection", "error", "possible"),
    ],
)
def test_the_finding_is_one_step_weaker(recording: str, lost: str, rule: str, severity: str, confidence: str) -> None:
    lines = (SAMPLES / f"{recording}.strace").read_text().splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if lost in line)
    found = {one.name: (one.severity, one.confidence) for one in analyze(lines[first + 1 :]).findings}
    assert found.get(rule) == (Severity(severity), Confidence(confidence))


def test_data_read_elsewhere_is_no_pipe_end() -> None:
    whole = (SAMPLES / "pipe-end-kept-open" / "bug.f.strace").read_text().replace('"42\\n", 4096', '"43\\n", 4096')
    lines = whole.splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if "pipe2(" in line)
    assert "pipe-end-kept-open" not in {one.name for one in analyze(lines[first + 1 :]).findings}


def test_two_attempts_at_a_lock_file_may_be_the_last_of_many() -> None:
    lines = (SAMPLES / "lock-file-wait" / "bug.f.strace").read_text().splitlines(keepends=True)
    attempts = [place for place, line in enumerate(lines) if "EEXIST" in line]
    found = {one.name: one.confidence for one in analyze(lines[attempts[-2] - 1 :]).findings}
    assert found["lock-file-wait"] == Confidence.POSSIBLE


def test_a_failed_call_beside_a_warning_is_a_note() -> None:
    lines = (SAMPLES / "closed-fd-polled" / "set.f.strace").read_text().splitlines(keepends=True)
    found = {one.name: one.severity for one in analyze(lines[39:63]).findings}
    assert found == {"closed-fd-polled": Severity.ERROR, "failed-call": Severity.NOTE}


def test_one_accept_in_the_first_lines_is_only_noted() -> None:
    lines = (SAMPLES / "edge-triggered-accept-once" / "fixed-one.f.strace").read_text().splitlines(keepends=True)
    for end in range(48, 57):
        loud = [one for one in analyze(lines[:end]).findings if one.severity is not Severity.NOTE]
        assert loud == []
