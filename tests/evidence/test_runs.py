"""Runs of like calls: how often, how fast, how certain, and for how long a run is remembered."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tracediag.engine import Engine
from tracediag.evidence.cases import Cases
from tracediag.evidence.runs import ATTEMPTS, CALLS, LOOP, POLLING, Bounds, Run, confidence, lengthened
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor
from tracediag.reading import read
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import on_call, on_errno, on_release
from tracediag.rules.loop import LoopRule
from tracediag.rules.process.restart_storm import RestartStorm
from tracediag.trace.events import Syscall

MORNING = 1_700_000_000
FEW = Bounds(few=2, worth=3, sure=5, slow=0.1)


def calls(*times: float | None) -> list[Syscall]:
    """Return one call at each of these times, in seconds, on consecutive lines."""
    lines = ["" if time is None else f"{MORNING + time:.6f} " for time in times]
    lines = [f'{time}read(3, "", 1) = 0\n' for time in lines]
    return [event for event in read(lines) if isinstance(event, Syscall)]


def run_of(*times: float | None) -> Run:
    first, *others = calls(*times)
    run = Run(first, first)
    for call in others:
        run.add(call)
    return run


def test_a_run_keeps_its_first_two_calls_and_the_last() -> None:
    first, second, third, last = calls(1, 2, 3, 4)
    run = None
    for call in (first, second, third, last):
        run = lengthened(run, call)
    assert run is not None
    assert (run.first, run.second, run.last, run.times) == (first, second, last, 4)


def test_the_period_is_that_of_the_turns_between() -> None:
    assert run_of(1.0, 1.5, 2.5).period == pytest.approx(0.75)
    assert run_of(1.0, 1.5, 2.5).span == pytest.approx(1.5)


@pytest.mark.parametrize("times", [(1.0,), (None,), (None, None, None)])
def test_a_single_call_or_one_without_times_has_no_period(times: tuple[float | None, ...]) -> None:
    run = run_of(*times)
    assert run.period is None
    assert not run.slower(0)
    assert not run.faster(1e9)


@pytest.mark.parametrize(
    ("times", "excerpt", "sure"),
    [
        (1, 20, None),
        (2, 20, Confidence.POSSIBLE),
        (2, 39, Confidence.POSSIBLE),
        (2, 40, None),
        (2, 0, None),
        (3, 20, Confidence.LIKELY),
        (3, 1000, Confidence.LIKELY),
        (3, 0, Confidence.LIKELY),
        (4, 0, Confidence.LIKELY),
        (5, 0, Confidence.CERTAIN),
    ],
)
def test_confidence_grows_with_the_turns(times: int, excerpt: int, sure: Confidence | None) -> None:
    assert FEW.confidence(times, excerpt=excerpt) is sure
    assert confidence(run_of(*[None] * times), FEW, excerpt=excerpt) is sure


def test_lines_left_out_prove_that_the_turns_continue() -> None:
    assert FEW.confidence(2, excerpt=20, elided=True) is Confidence.LIKELY
    assert FEW.confidence(1, excerpt=20, elided=True) is None
    assert FEW.confidence(2, excerpt=0, elided=True) is None
    assert FEW.title(2, "it spins") == "if this repeats, it spins"
    assert FEW.title(2, "it spins", elided=True) == "it spins"


@pytest.mark.parametrize(("apart", "sure"), [(0.09, Confidence.CERTAIN), (0.11, None)])
def test_a_slow_repetition_is_not_a_busy_loop(apart: float, sure: Confidence | None) -> None:
    assert confidence(run_of(*(turn * apart for turn in range(6))), FEW, excerpt=20) is sure


@pytest.mark.parametrize("bounds", [LOOP, CALLS, POLLING, ATTEMPTS])
def test_bounds_are_in_order(bounds: Bounds) -> None:
    assert 1 <= bounds.few < bounds.worth <= bounds.sure
    assert bounds.fast < bounds.slow


@pytest.mark.parametrize(
    ("times", "seen", "title"),
    [
        (2, "", "if this repeats, the loop spins"),
        (2, "read gives 0 twice", "if this repeats, the loop spins: read gives 0 twice"),
        (3, "", "the loop spins"),
        (3, "read gives 0 3 times", "read gives 0 3 times"),
    ],
)
def test_too_few_turns_make_a_condition(times: int, seen: str, title: str) -> None:
    assert FEW.title(times, "the loop spins", seen) == title


def test_steps_stand_for_all_calls_or_for_those_after_the_first() -> None:
    run = run_of(None, None, None)
    all_of_them, (others,) = run.together("all", primary=True), run.again("others")
    assert (all_of_them.line, all_of_them.repeats, all_of_them.last_line, all_of_them.primary) == (1, 3, 3, True)
    assert (others.line, others.repeats, others.last_line, others.primary) == (2, 2, 3, False)
    assert list(run_of(None).again("none")) == []


class Looped(LoopRule[Run]):
    """Counts the failing reads, by thread and descriptor; a poll or a close ends them."""

    name = "looped"
    code = "T1"
    severity = Severity.NOTE
    summary = "for this test"
    bounds = FEW
    kept = 2

    def __init__(self) -> None:
        super().__init__()
        self.watched: Cases[Descriptor, None] = Cases()
        """What the rule is to be told the release of."""

    @on_errno("EAGAIN", of=("read",))
    def failed(self, action: Action) -> None:
        run = self.run(action.thread, action.descriptor)
        if run is not None:
            run.add(action.call)
        elif action.descriptor is not None:
            self.watched[action.descriptor] = None
            self.begin(Run(action.call, action.call), action.thread, action.descriptor)

    @on_call("poll")
    def waited(self, action: Action) -> Iterable[Finding]:
        return self.all_over(action.event, action.thread)

    @on_release
    def released(self, action: Action) -> Iterable[Finding]:
        return [finding for gone in action.released for finding in self.over(action.event, action.thread, gone)]

    def tell(self, run: Run, sure: Confidence) -> Finding:
        ended = "the trace" if run.ended is None else f"line {run.ended.line}"
        title = f"{run.times} from {run.first.line} {sure} until {ended} = {self.until(run)}"
        return self.finding([step(run.first, "", primary=True)], object="", title=title, why="", fix="")


def titles(*lines: str) -> list[str]:
    engine = Engine([Looped], raising=True)
    return [finding.title for finding in engine.run(read([f"{line}\n" for line in lines]))]


START = 'execve("/bin/x", ["x"], 0x7ffe /* 3 vars */) = 0'
FAIL = "read({}, 0x7ffe, 8) = -1 EAGAIN (Resource temporarily unavailable)"
FAIL3, FAIL4 = FAIL.format(3), FAIL.format(4)


def test_the_end_of_the_trace_ends_a_run() -> None:
    assert titles(START, *[FAIL3] * 3, "getpid() = 5") == ["3 from 2 likely until the trace = 5"]


def test_only_an_excerpt_makes_much_of_a_few_turns() -> None:
    assert titles(START, FAIL3, FAIL3) == []
    assert titles(FAIL3, FAIL3) == ["2 from 1 possible until the trace = 2"]
    assert titles(FAIL3, FAIL3, "poll([], 0, 1) = 0 (Timeout)") == []


def test_a_wait_ends_all_runs_of_its_thread_only() -> None:
    trace = [f"7 {START}", "7 clone(child_stack=0x1, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8"]
    trace += [f"{pid} {FAIL.format(3)}" for pid in (7, 8)] * 3 + [f"7 {FAIL4}"] * 5 + ["7 poll([], 0, 1) = 0 (Timeout)"]
    assert titles(*trace, "8 getpid() = 7") == [
        "3 from 3 likely until line 14 = 14",
        "5 from 9 certain until line 14 = 14",
        "3 from 4 likely until the trace = 15",
    ]


def test_the_exit_of_a_thread_ends_its_runs() -> None:
    trace = [f"7 {START}", *[f"7 {FAIL3}"] * 3, "7 exit_group(0) = ?", "7 +++ exited with 0 +++"]
    assert titles(*trace) == ["3 from 2 likely until line 6 = 6"]


def test_the_next_owner_of_a_number_begins_a_run_of_its_own() -> None:
    again = ["close(3) = 0", 'openat(AT_FDCWD, "/dev/tty", O_RDWR|O_NONBLOCK) = 3']
    assert titles(START, *[FAIL3] * 2, *again, *[FAIL3] * 2) == []
    assert titles(START, *[FAIL3] * 3, *again, *[FAIL3] * 3) == [
        "3 from 2 likely until line 5 = 5",
        "3 from 7 likely until the trace = 9",
    ]


def test_the_next_thread_of_a_number_begins_a_run_of_its_own() -> None:
    life = [f"9 {FAIL3}", f"9 {FAIL3}", "9 +++ exited with 0 +++"]
    assert titles(f"7 {START}", "7 fork() = 9", *life, "7 fork() = 9", *life) == []


def test_too_many_owners_cost_the_oldest() -> None:
    trace = [f"7 {START}", *(f"7 fork() = {pid}" for pid in (8, 9, 10))]
    trace += [f"{pid} {FAIL3}" for pid in (8, 9, 10) for _ in range(3)]
    assert [title.partition(" until")[0] for title in titles(*trace)] == ["3 from 8 likely", "3 from 11 likely"]


def test_a_storm_is_that_of_one_thread() -> None:
    """Nine attempts by a thread and three by the next thread with its number were counted as a storm of twelve."""
    fork = "9 clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)"
    tick = "9 --- SIGALRM {si_signo=SIGALRM, si_code=SI_TIMER} ---"
    begin, end = "7 clone(child_stack=NULL, flags=SIGCHLD) = 9", "9 +++ exited with 0 +++"
    lives = [[begin, *[fork, tick] * times, end] for times in (9, 3)]
    assert storms([f"7 {START}", *lives[0], *lives[1]]) == []
    assert storms([f"7 {START}", begin, *[fork, tick] * 12, end]) == ["restart-storm"]


def storms(lines: list[str]) -> list[str]:
    return [finding.name for finding in Engine([RestartStorm]).run(read([f"{line}\n" for line in lines]))]
