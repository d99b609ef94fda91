"""What a recording is and shows, and how rules treat what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tracediag import analyze
from tracediag.engine import Engine
from tracediag.evidence.scope import Fact, Scope
from tracediag.kernel import Action, Kernel, apply
from tracediag.reading import read
from tracediag.results.findings import Finding, Severity, step
from tracediag.rules.base import Rule, on_call

RECORDED = Path(__file__).parent / "recorded"
EXEC = 'execve("/bin/true", ["true"], 0x7ffc /* 3 vars */) = 0\n'
READ = 'read(3, "x", 1) = 1\n'


def scope_of(lines: list[str]) -> Scope:
    kernel = Kernel()
    for event in read(lines):
        apply(kernel, event)
    scope = Scope(kernel)
    scope.end()
    return scope


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([READ], True),
        ([READ] * 300, True),
        ([EXEC, READ], False),
        ([EXEC, READ, "...\n", READ], True),
        ([READ, "+++ exited with 0 +++\n"], False),
        ([f"1 {READ}", f"2 {READ}", "1 +++ exited with 0 +++\n"], True),
        ([f"1 {READ}", f"2 {READ}", "1 +++ exited with 0 +++\n", "2 +++ exited with 0 +++\n"], False),
    ],
)
def test_what_was_cut_from_a_longer_trace_is_an_excerpt_of_any_length(lines: list[str], expected: bool) -> None:
    assert scope_of(lines).is_excerpt is expected
    assert scope_of(lines).excerpt == (len(lines) if expected else 0)


def test_the_end_of_a_trace_is_its_greatest_time() -> None:
    lines = ["1 epoll_pwait(9,  <unfinished ...>\n", *["2 getpid() = 2\n"] * 40]
    timed = [f"{line[:2]}1795821236.{number:06} {line[2:]}" for number, line in enumerate(lines)]
    engine = Engine([], lines=lambda: len(timed))
    list(engine.run(read(timed)))
    assert engine.scope.excerpt == 41
    assert engine.kernel.last_time == pytest.approx(1795821236.00004)


def test_failures_only() -> None:
    assert scope_of(['open("a", O_RDONLY) = -1 ENOENT (No such file or directory)\n']).failures_only
    assert not scope_of([READ]).failures_only


def test_the_start_of_the_program() -> None:
    assert Fact.START in scope_of([EXEC, READ]).facts
    assert Fact.START not in scope_of([READ]).facts


def test_a_long_trace_records_only_the_calls_that_it_shows() -> None:
    assert scope_of([READ]).records(["close"])
    assert not scope_of([READ] * 30).records(["close"])
    assert scope_of([READ] * 30 + ["close(3) = 0\n"]).records(["close"])


class NeverClosed(Rule):
    """Reports every read whose descriptor is never closed."""

    code, name, severity, summary = "X1", "never-closed", Severity.NOTE, "for this test"
    rests_on = ("close",)

    @on_call("read")
    def has_read(self, action: Action) -> Iterator[Finding]:
        found = step(action.call, "it reads", primary=True)
        yield self.finding([found], object="fd", title="t", why="w", fix="f")


@pytest.mark.parametrize(("close", "findings"), [([], 0), (["close(9) = 0\n"], 30)])
def test_absence_proves_nothing_where_such_calls_are_never_shown(close: list[str], findings: int) -> None:
    engine = Engine([NeverClosed])
    told = list(engine.run(read(close + [READ] * 30)))
    assert len(told) == findings
    assert [(blind.rule, "close" in blind.needs) for blind in engine.blind()] == (
        [] if close else [("never-closed", True)]
    )


def test_a_missing_fact_is_reported_only_if_the_rule_met_its_subject() -> None:
    loop = ["epoll_wait(3, [{events=EPOLLIN, data={u32=5, u64=5}}], 8, -1) = 1\n", 'read(5, "x", 8) = 1\n'] * 2
    lacking = {blind.rule: blind.needs for blind in analyze(loop, select=["blocking-fd-in-event-loop"]).blind}
    assert list(lacking) == ["blocking-fd-in-event-loop"]
    assert "strace -T" in lacking["blocking-fd-in-event-loop"]
    timed = [f"{line.rstrip()} <0.000010>\n" for line in loop]
    assert analyze(timed, select=["blocking-fd-in-event-loop"]).blind == ()
    assert analyze([READ] * 2, select=["blocking-fd-in-event-loop"]).blind == ()


def test_a_number_handed_out_again_shows_that_closes_are_missing() -> None:
    """A thread that strace does not follow closes what the main thread opens."""
    report = analyze(RECORDED / "closer.main.strace")
    assert not report.findings
    assert "descriptor-leak" in {blind.rule for blind in report.blind}
    assert "descriptor-leak" not in {blind.rule for blind in analyze(RECORDED / "closer.f.strace").blind}


def test_closes_are_missed_in_the_process_that_shows_it_and_after_the_line_that_does() -> None:
    scope = scope_of(["1 openat(5, 0) = 3\n", "2 socket(1, 1, 0) = 3\n", "1 openat(5, 0) = 3\n"])
    assert scope.misses_closes(1, 1)
    assert not scope.misses_closes(1, 3)
    assert not scope.misses_closes(2, 0)


@pytest.mark.parametrize(
    "between",
    [
        "1 close(3) = 0\n",
        "1 dup2(3, 4) = 4\n1 close(3) = 0\n",
        "2 close(3 <unfinished ...>\n",  # of a thread
        "...\n",
        "1 execve('/bin/x', ['x'], 0x7ffc /* 3 vars */) = 0\n".replace("'", '"'),
    ],
)
def test_no_close_is_missed_where_one_shows_or_lines_are_left_out(between: str) -> None:
    thread = "1 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 2\n"
    opened = '1 openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3\n'
    lines = [thread, opened, *between.splitlines(keepends=True), opened]
    assert not scope_of(lines).misses_closes(1, 0)
