"""A rule receives the end of each process once: its exit if that is reported, else the end of the trace."""

from __future__ import annotations

import pytest

from tracediag.engine import Engine
from tracediag.kernel.process_end import ProcessEnd
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules.base import Rule, on_process_end

SEEN: list[tuple[int | None, int | None, int, tuple[int, ...], bool]] = []
"""Pid, line of what ended it, line of its end, numbers of the descriptors that it held, whether the exit is known."""


class Obituary(Rule):
    """Records every end."""

    name = "obituary"
    severity = Severity.NOTE
    summary = "for this test"

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        numbers = tuple(sorted(held.number for held in end.held if held.number > 2))
        event = None if end.event is None else end.event.line
        SEEN.append((end.process.pid, event, end.line, numbers, end.exit is not None))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    SEEN.clear()


def ends(*lines: str) -> list[tuple[int | None, int | None, int, tuple[int, ...], bool]]:
    assert list(Engine([Obituary]).run(read([f"{line}\n" for line in lines]))) == []
    return SEEN


OPEN = 'openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3'


def test_once_when_the_last_thread_exits() -> None:
    seen = ends(
        f"7 {OPEN}",
        "7 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8",
        "8 exit(0) = ?",
        "8 +++ exited with 0 +++",
        "7 exit_group(3) = ?",
        "7 +++ exited with 3 +++",
    )
    assert seen == [(7, 6, 6, (3,), True)]


def test_an_exit_group_is_the_end_where_the_trace_stops_before_the_exit() -> None:
    assert ends(f"7 {OPEN}", "7 exit_group(1) = ?", "8 getuid() = 0") == [
        (7, 2, 3, (3,), False),
        (8, None, 3, (), False),
    ]


def test_an_exit_without_a_pid_ends_a_process_whose_threads_are_not_followed() -> None:
    seen = ends(
        "clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8",
        "exit_group(1) = ?",
        "+++ exited with 1 +++",
    )
    assert seen == [(None, 3, 3, (), True)]


def test_a_reported_exit_is_not_repeated_at_the_end_of_the_trace() -> None:
    seen = ends("7 getuid() = 0", "8 getuid() = 0", "7 +++ killed by SIGKILL +++", "8 getuid() = 0")
    assert seen == [(7, 3, 3, (), True), (8, None, 4, (), False)]


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        (["7 exit_group(0) = ?", "7 +++ exited with 0 +++"], False),
        (["7 exit_group(1) = ?", "7 +++ exited with 1 +++"], True),
        (["7 exit_group(1) = ?"], True),
        (["7 exit_group(0) = ?"], False),
        (["7 getuid() = 0", "7 +++ killed by SIGTERM +++"], True),
        (["7 getuid() = 0"], False),
    ],
)
def test_ended_badly(lines: list[str], bad: bool) -> None:
    engine = Engine([])
    list(engine.run(read([f"{line}\n" for line in lines])))
    (process,) = engine.kernel.processes
    assert process.ended_badly is bad
