"""Stacks of `strace -k`: the forms of a frame, and the record that each belongs to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tracediag import open_trace
from tracediag.reading import Reader
from tracediag.reading.stacks import MOST_FRAMES, with_stacks
from tracediag.trace.events import Begun, Event, Exit, Other, Signal, Syscall
from tracediag.trace.stacks import Frame, read_frame

LIBC = " > /usr/lib/libc.so.6(__write+0x4f) [0xf838f]"
MAIN = " > /srv/net(main+0x1e) [0x1397]"
OTHER = " > /srv/net(worker+0x4) [0x1200]"


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("/srv/net(main+0x1e) [0x1397] ", Frame("/srv/net", "main", 0x1E, 0x1397)),
        ("/usr/bin/tr() [0x2430] ", Frame("/usr/bin/tr", "", None, 0x2430)),
        ("/usr/bin/true(+0x0) [0x23f1] ", Frame("/usr/bin/true", "", 0, 0x23F1)),
        ("/srv/m(ns::f3(int)+0x9d) [0x13b7] ", Frame("/srv/m", "ns::f3(int)", 0x9D, 0x13B7)),
        ("/srv/m(V::operator/(V const&)+0x1) [0x9] ", Frame("/srv/m", "V::operator/(V const&)", 1, 9)),
        (
            "/srv/net(main+0x1e) [0x1397] /srv/a b/net.c:20 ",
            Frame("/srv/net", "main", 0x1E, 0x1397, "/srv/a b/net.c", 20),
        ),
        ("/srv/t (deleted)(main+0x1) [0x2]", Frame("/srv/t (deleted)", "main", 1, 2)),
        ("/srv/app (1)/t(f(int)+0x1) [0x2]", Frame("/srv/app (1)/t", "f(int)", 1, 2)),
        ("/srv/app(1)/t(f(int)+0x1) [0x2]", Frame("/srv/app(1)/t", "f(int)", 1, 2)),
        ("/srv/go(internal/poll.(*FD).Write+0x6a) [0x9]", Frame("/srv/go", "internal/poll.(*FD).Write", 0x6A, 9)),
        ("[vdso]() [0xa8e]", Frame("[vdso]", "", None, 0xA8E)),
        ("too many stack frames", None),
        ("no matching address range", None),
        ("unexpected_backtracing_error [0x7ffd]", None),
        ("/srv/net(main+0x1e) [0xfffffffffffffffff]", None),
    ],
)
def test_the_forms_of_a_frame(text: str, frame: Frame | None) -> None:
    assert read_frame(f" > {text}") == frame


def read(*lines: str) -> list[Event]:
    return list(Reader(lines))


def functions(event: Event) -> list[str]:
    return [frame.symbol for frame in event.stack]


def test_frames_belong_to_the_call_signal_and_exit_before_them() -> None:
    events = read(
        'write(1, "x", 1) = 1', LIBC, MAIN,
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---", OTHER, MAIN,
        "getpid() = 7",
        "+++ exited with 0 +++", MAIN,
    )  # fmt: skip
    found = {type(event): functions(event) for event in events if not isinstance(event, Other) and event.line != 7}
    assert found == {Syscall: ["__write", "main"], Signal: ["worker", "main"], Exit: ["main"]}
    assert [functions(event) for event in events if event.line == 7] == [[]]
    assert sum(isinstance(event, Other) for event in events) == 5


def test_frames_of_a_resumed_call_are_those_of_its_second_half() -> None:
    events = read(
        "7 read(3,  <unfinished ...>",
        '8 write(1, "x", 1) = 1', LIBC, OTHER,
        '7 <... read resumed>"y", 1) = 1', LIBC, MAIN,
    )  # fmt: skip
    calls = [event for event in events if isinstance(event, Syscall)]
    assert [(call.name, functions(call)) for call in calls] == [
        ("write", ["__write", "worker"]),
        ("read", ["__write", "main"]),
    ]


def test_frames_after_the_half_of_another_process_are_given_to_no_record() -> None:
    events = read('8 write(1, "x", 1) = 1', LIBC, "7 read(3,  <unfinished ...>", MAIN)
    assert [functions(event) for event in events if isinstance(event, Syscall)] == [["__write"], []]
    assert [functions(event) for event in events if isinstance(event, Begun)] == [[]]


def test_frames_of_a_call_that_is_no_event_are_not_those_of_the_event_before() -> None:
    reader = Reader(['write(1, "x", 1) = 1', MAIN, "getuid() = 0", OTHER] * 2, calls=("write",), failures=False)
    calls = [event for event in reader if isinstance(event, Syscall)]
    assert [(call.name, functions(call)) for call in calls] == [("write", ["main"])] * 2


@pytest.mark.parametrize("start", ["> ", ">"])
def test_a_paste_may_lose_the_blanks_of_frames(start: str) -> None:
    reader = Reader(['write(1, "x", 1) = 1', LIBC.replace(" > ", start), MAIN.replace(" > ", start), "getpid() = 7"])
    calls = [event for event in reader if isinstance(event, Syscall)]
    assert [functions(call) for call in calls] == [["__write", "main"], []]
    assert reader.counts.kinds["frame"] == 2


def test_a_dump_stands_between_a_call_and_its_frames() -> None:
    dump = " | 00000  78 78 78 78 78 78 78 78  78 78 78 78 78 78 78 78  xxxxxxxxxxxxxxxx |"
    (call,) = [event for event in read('read(3, "x", 1) = 1', dump, LIBC, MAIN) if isinstance(event, Syscall)]
    assert functions(call) == ["__write", "main"]


def test_calls_of_a_query_have_their_stacks() -> None:
    trace = open_trace(['write(1, "x", 1) = 1', LIBC, MAIN, "close(9) = -1 EBADF (Bad file descriptor)", OTHER] * 9)
    assert {tuple(functions(call)) for call in trace.calls("close")} == {("worker",)}


def test_a_stack_is_bounded_and_equal_stacks_are_one_object() -> None:
    deep = [f" > /srv/net(f{number}+0x1) [0x{number:x}]" for number in range(300)]
    calls = [event for event in read(*(["getpid() = 7", *deep] * 3)) if isinstance(event, Syscall)]
    assert [len(call.stack) for call in calls] == [MOST_FRAMES] * 3
    assert calls[0].stack is calls[1].stack


def test_an_event_of_a_growing_trace_is_not_held_until_there_are_frames() -> None:
    read_so_far = []

    def growing() -> Iterator[Event]:
        for event in read('write(1, "x", 1) = 1', MAIN, 'write(1, "y", 1) = 1', MAIN, "getpid() = 7"):
            event.stack = ()
            read_so_far.append(event.line)
            yield event

    events = with_stacks(growing(), delayed=False)
    first = next(events)
    assert (first.line, read_so_far) == (1, [1])
    rest = list(events)
    assert [functions(event) for event in (first, *rest) if isinstance(event, Syscall)] == [["main"], ["main"], []]
    assert [event.line for event in rest] == [2, 3, 4, 5]


def test_lines_keep_their_order() -> None:
    assert [event.line for event in read(*["getpid() = 7", LIBC, MAIN] * 4)] == list(range(1, 13))
