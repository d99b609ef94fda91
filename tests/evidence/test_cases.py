"""Open cases: bounded in number, on the object itself, and over when the object is."""

from __future__ import annotations

import re
from collections import deque
from gc import collect
from pathlib import Path
from weakref import WeakValueDictionary

import pytest

import tracediag
from tracediag.api import analyze
from tracediag.engine import Engine
from tracediag.evidence.cases import Cases
from tracediag.kernel import Action
from tracediag.kernel.descriptor import Descriptor, OpenFile
from tracediag.kernel.process import Process, Thread
from tracediag.kernel.process_end import ProcessEnd
from tracediag.kernel.table import DescriptorTable
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules import Rule
from tracediag.rules.base import on_call, on_exit, on_process_end, on_release
from tracediag.trace.records import Exit


class Remembering(Rule):
    """Keeps a case on everything that a read touches, and notes what it is told of."""

    code = "TD000"
    name = "remembering"
    severity = Severity.NOTE
    summary = "a rule of this test"

    def __init__(self) -> None:
        self.descriptors: Cases[Descriptor, int] = Cases()
        self.files: Cases[OpenFile, int] = Cases()
        self.threads: Cases[Thread, int] = Cases()
        self.processes: Cases[Process, int] = Cases()
        self.released_with: list[tuple[int, int]] = []
        self.ended_with: list[int | None] = []

    @on_call("read")
    def seen(self, action: Action) -> None:
        if action.descriptor is not None:
            self.descriptors[action.descriptor] = self.files[action.descriptor.file] = action.event.line
            self.threads[action.thread] = self.processes[action.process] = action.event.line

    @on_release
    def released(self, action: Action) -> None:
        for descriptor in action.released:
            self.released_with.append((self.descriptors.get(descriptor, 0), self.files.get(descriptor.file, 0)))

    @on_exit
    def exited(self, action: Action) -> None:
        self.ended_with.append(self.threads.get(action.thread))

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        self.ended_with.append(self.processes.get(end.process))


def after(*lines: str) -> Remembering:
    """Return the rule once it has seen a trace."""
    engine = Engine([Remembering], raising=True)
    list(engine.feed(read([f"{line}\n" for line in lines])))
    (rule,) = engine._rules
    assert isinstance(rule, Remembering)
    return rule


OPEN = '1 openat(AT_FDCWD, "a", O_RDONLY) = 3'
READ = '1 read(3, "x", 1) = 1'


def test_a_case_makes_the_engine_tell_of_the_release_and_is_dropped_after_it() -> None:
    rule = after(OPEN, READ, "1 close(3) = 0")
    assert rule.released_with == [(2, 2)]
    assert not rule.descriptors
    assert not rule.files


def test_without_a_case_no_release_is_told() -> None:
    assert after(OPEN, "1 close(3) = 0").released_with == []


def test_a_case_on_a_description_lives_as_long_as_any_descriptor_refers_to_it() -> None:
    rule = after(OPEN, READ, "1 dup(3) = 4", "1 close(3) = 0")
    assert not rule.descriptors
    assert list(rule.files.values()) == [2]
    assert not after(OPEN, READ, "1 dup(3) = 4", "1 close(3) = 0", "1 close(4) = 0").files


def test_a_number_used_again_has_no_case() -> None:
    rule = after(OPEN, READ, "1 close(3) = 0", OPEN, "1 close(3) = 0")
    assert rule.released_with == [(2, 2)]


def test_a_case_outlives_a_closed_case_on_the_same_object() -> None:
    descriptor = Descriptor(3, OpenFile(), DescriptorTable())
    closed: Cases[Descriptor, int] = Cases()
    left: Cases[Descriptor, int] = Cases()
    closed[descriptor] = left[descriptor] = 1
    assert closed.pop(descriptor) == 1
    assert descriptor.watchers == (left,)
    assert descriptor.noted
    del left[descriptor]
    assert not descriptor.noted


def test_cases_on_a_thread_and_its_process_are_told_their_end_and_dropped_after_it() -> None:
    rule = after(OPEN, READ, "1 +++ exited with 0 +++", "2 read(0, 0x7f, 1) = 1")
    assert rule.ended_with == [2, 2]
    assert list(rule.threads.values()) == [4]
    assert list(rule.processes.values()) == [4]


def test_a_case_may_outlive_its_object() -> None:
    descriptor = Descriptor(3, OpenFile(), DescriptorTable())
    cases: Cases[Descriptor, int] = Cases(outlive=True)
    cases[descriptor] = 1
    assert descriptor.noted
    descriptor.end_watch()
    assert cases[descriptor] == 1
    assert not descriptor.noted


def test_the_oldest_case_makes_room_and_is_counted() -> None:
    files = [OpenFile() for _ in range(5)]
    cases: Cases[OpenFile, int] = Cases(3)
    for number, file in enumerate(files):
        cases[file] = number
        cases[file] = number  # no younger, and no other case
    assert list(cases.values()) == [2, 3, 4]
    assert cases.dropped == 2
    assert [bool(file.watchers) for file in files] == [False, False, True, True, True]


def test_setdefault_is_bounded_too_and_keeps_the_first_case() -> None:
    files = [OpenFile() for _ in range(3)]
    cases: Cases[OpenFile, list[int]] = Cases(2)
    for file in files:
        cases.setdefault(file, [1]).append(2)
        cases.setdefault(file, []).append(3)
    assert list(cases.items()) == [(files[1], [1, 2, 3]), (files[2], [1, 2, 3])]


def test_clearing_ends_the_watch_of_each_object() -> None:
    file = OpenFile()
    cases: Cases[OpenFile, int] = Cases()
    cases[file] = 1
    cases.clear()
    assert not cases
    assert not file.watchers


def test_a_case_keeps_its_object_so_that_its_identity_is_not_used_again() -> None:
    class Owner:
        """Something that is freed as soon as nothing refers to it."""

    alive: WeakValueDictionary[int, Owner] = WeakValueDictionary()
    cases: Cases[Owner, int] = Cases(50)
    for number in range(100):
        alive[number] = owner = Owner()
        cases[owner] = number
        assert len(cases) == min(number + 1, 50)
        del owner
    collect()
    assert sorted(alive) == list(range(50, 100))


def test_closing_what_has_no_case() -> None:
    cases: Cases[OpenFile, int] = Cases()
    assert cases.pop(OpenFile(), None) is None
    with pytest.raises(KeyError):
        del cases[OpenFile()]


def test_an_exit_leaves_no_watcher_on_what_was_forgotten() -> None:
    engine = Engine([Remembering], raising=True)
    exits = []
    for event in read([f"{OPEN}\n", f"{READ}\n", "1 +++ exited with 0 +++\n", "2 getpid() = 2\n"]):
        list(engine.feed([event]))
        if isinstance(event, Exit):
            exits.append(engine.kernel.processes[0])
    assert [process.watchers for process in exits] == [()]


def test_a_case_moves_with_its_object() -> None:
    one, same = OpenFile(), OpenFile()
    cases: Cases[OpenFile, int] = Cases()
    cases[one] = 1
    one.hand_over(same)
    assert list(cases.items()) == [(same, 1)]
    assert (one.watchers, same.watchers) == ((), (cases,))
    same.end_watch()
    assert not cases


@pytest.mark.parametrize(
    ("earlier", "later", "merged"),
    [
        (1, 2, 2),
        ([1], [2], [1, 2]),
        ({"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({1}, {2}, {1, 2}),
        (deque([1], maxlen=2), deque([2, 3]), deque([2, 3], maxlen=2)),
    ],
)
@pytest.mark.parametrize("goes_first", [True, False])
def test_of_two_cases_the_later_stays_and_collections_are_joined(
    earlier: object, later: object, merged: object, *, goes_first: bool
) -> None:
    first, second = OpenFile(), OpenFile()
    cases: Cases[OpenFile, object] = Cases()
    cases[first], cases[second] = earlier, later
    goes, stays = (first, second) if goes_first else (second, first)
    goes.hand_over(stays)
    assert list(cases.items()) == [(stays, merged)]
    assert goes.watchers == ()
    assert stays.watchers == (cases,)


def test_the_owner_says_how_two_cases_are_merged() -> None:
    first, second = OpenFile(), OpenFile()
    cases: Cases[OpenFile, int] = Cases(merge=lambda earlier, later: 10 * earlier + later)
    cases[first], cases[second] = 1, 2
    second.hand_over(first)
    assert cases == {first: 12}


JOIN = "71 futex(0x7f2218857990, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 72, NULL, FUTEX_BITSET_MATCH_ANY) = 0"


def test_what_two_threads_met_before_they_were_known_to_be_of_one_process() -> None:
    rule = after('72 read(3, "x", 1) = 1', '72 read(4, "x", 1) = 1', '71 read(3, "x", 1) = 1', JOIN)
    assert [(process.pid, line) for process, line in rule.processes.items()] == [(71, 3)]
    assert sorted((held.number, line) for held, line in rule.descriptors.items()) == [(3, 3), (4, 2)]
    assert sorted(rule.files.values()) == [2, 3]
    (process,) = rule.processes
    assert all(process.table.open[held.number] is held for held in rule.descriptors)
    assert {held.file for held in rule.descriptors} == set(rule.files)


def test_a_number_that_was_given_out_again_has_the_case_of_what_it_is_now() -> None:
    rule = after('72 read(3, "x", 1) = 1', '71 openat(AT_FDCWD, "a", O_RDONLY) = 3', '71 read(3, "x", 1) = 1', JOIN)
    assert [(held.number, line) for held, line in rule.descriptors.items()] == [(3, 3)]
    assert list(rule.files.values()) == [3]


def test_a_fault_of_a_thread_that_is_joined_between_its_steps() -> None:
    """mkdir fails in a thread of which only the later join shows the process; openat fails for it."""
    report = analyze(Path(__file__).parent / "recorded" / "joined_late.strace")
    (cause,) = report.causes
    assert cause.name == "ignored-failure-strikes-later"
    assert "mkdir of queue/incoming fails" in cause.title


ROOM = Path(tracediag.__file__).parent
IDENTITY = re.compile(r"(?<![\w.])id\(")


@pytest.mark.parametrize("room", ["rules", "evidence", "kernel"])
def test_no_identity_number_stands_for_an_object(room: str) -> None:
    found = [
        f"{path}: {line}"
        for path in (ROOM / room).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if IDENTITY.search(line)
    ]
    assert not found
