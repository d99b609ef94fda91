r"""`strace CMD 2>FILE`: what the program writes stands in the file too, and is the data that strace cut off.

Excerpts of recordings of bash, gcc, perl and a Python program with threads, by strace 6.1.
"""

from __future__ import annotations

import pytest

from tracediag.reading import Reader
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Elision
from tracediag.trace.values import Text, walk


def read(*lines: str) -> list[Event]:
    """Read lines, each of which is accounted for and understood."""
    reader = Reader(lines)
    found = list(reader)
    assert reader.counts.not_understood == 0, reader.counts.samples
    assert sum(reader.counts.kinds.values()) == len(lines)
    return found


def said(*lines: str) -> list[str]:
    """Return the data of each write, which must be as long as its result."""
    found = [event for event in read(*lines) if isinstance(event, Syscall) and event.name.startswith("write")]
    texts = [[value for value in walk(call.args[1]) if isinstance(value, Text)] for call in found]
    assert not any(text.shortened for each in texts for text in each), [call.body for call in found]
    assert [call.result for call in found] == [sum(len(text.data) for text in each) for each in texts]
    return ["".join(map(str, each)) for each in texts]


def test_a_line() -> None:
    assert said(
        '[pid  3840] write(2, "bash: line 1: nosuchcommand: com"..., 47bash: line 1: nosuchcommand: command not found',
        ") = 47",
        "[pid  3840] exit_group(127)             = ?",
    ) == ["bash: line 1: nosuchcommand: command not found\n"]


def test_no_line_break_at_the_end() -> None:
    line = 'write(2, "cannot open \\"/etc"..., 31cannot open "/etc/app.conf": no)     = 31'
    assert said(line, "close(3) = 0") == ['cannot open "/etc/app.conf": no']


def test_the_mark_on_a_line_of_its_own() -> None:
    assert said(
        '[pid  3831] write(2, "Cannot open conf"..., 58Cannot open configuration file: No such file or directory',
        " <unfinished ...>",
        "[pid  3832] close(5)                    = 0",
        "[pid  3831] <... write resumed>)        = 58",
    ) == ["Cannot open configuration file: No such file or directory\n"]


GCC = (
    "bad.c:1:19: error: “undeclared” undeclared (first use in this function)",
    "    1 | int main(){return undeclared + 1;}  ",
    "      |                   ^~~~~~~~~~",
    "...",
    '# 12 "bad.c"',
    "",
    "-> close(3) fails",
)


def test_lines_that_look_like_something_else() -> None:
    text = "\n".join(GCC) + "\n"
    size = len(text.encode())
    lines = (f'write(2, "bad.c:1:19: error: \\342\\200\\234undecla"..., {size}{GCC[0]}', *GCC[1:], f") = {size}")
    assert said(*lines) == [text]
    assert not [event for event in read(*lines) if isinstance(event, Elision)]


def test_many_buffers() -> None:
    assert said(
        'writev(2, [{iov_base="", iov_len=0}, {iov_base="sh: nosuchc"..., iov_len=29}], 2sh: nosuchcommand: not found',
        ") = 29",
        "close(3) = 0",
    ) == ["sh: nosuchcommand: not found\n"]


def test_the_data_ends_another_threads_line() -> None:
    assert said(
        '[pid  3832] write(2, "first line\\nsecond line of the me"..., 63 <unfinished ...>',
        "[pid  3831] futex(0xa5b8f8, FUTEX_WAKE_PRIVATE, 1first line",
        "second line of the message that is quite long indeed <unfinished ...>",
        "[pid  3832] <... write resumed>) = 63",
        "[pid  3831] <... futex resumed>) = 0",
    ) == ["first line\nsecond line of the message that is quite long indeed"]


def test_another_threads_arguments_are_freed_from_the_data() -> None:
    found = read(
        '[pid  3827] write(2, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"..., 60 <unfinished ...>',
        f"[pid  3831] madvise(0x7f005f206000, 8368128, MADV_DONTNEED{'a' * 40}",
        "fatal: cannot bind",
        " <unfinished ...>",
        "[pid  3827] <... write resumed>) = 60",
        "[pid  3831] <... madvise resumed>) = 0",
    )
    calls = {event.name: event for event in found if isinstance(event, Syscall)}
    assert calls["madvise"].body == "0x7f005f206000, 8368128, MADV_DONTNEED"
    assert str(calls["write"].args[1]) == "a" * 40 + "\nfatal: cannot bind\n"


def test_the_data_stands_between_two_records() -> None:
    assert said(
        '[pid  3827] write(2, "Traceback (most "..., 64 <unfinished ...>',
        "[pid  3831] getpid()                    = 3827",
        "Traceback (most recent call last):",
        "ValueError: nothing to do",
        "  ",
        "[pid  3827] <... write resumed>)        = 64",
    ) == ["Traceback (most recent call last):\nValueError: nothing to do\n  \n"]


@pytest.mark.parametrize(
    "line",
    [
        'write(2, "bash: line 1: nosuchcommand: com"..., 48bash: line 1: nosuchcommand: command not found',
        'write(2, "bash: line 2: nosuchcommand: com"..., 47bash: line 1: nosuchcommand: command not found',
    ],
)
def test_other_text_is_not_believed(line: str) -> None:
    (call,) = [event for event in Reader([line, ") = 47"]) if isinstance(event, Syscall)]
    (text,) = [value for value in walk(call.args[1]) if isinstance(value, Text)]
    assert text.shortened


def test_a_half_with_output_in_a_call_of_one_thread() -> None:
    (first, second) = said(
        '[pid  3831] write(2, ": ", 2:  <unfinished ...>',
        "[pid  3830] close(3)                    = 0",
        "[pid  3831] <... write resumed>)        = 2",
        '[pid  3830] write(2, "raise E(\\"first li"..., 28raise E("first line of all") <unfinished ...>',
        "[pid  3831] close(4)                    = 0",
        "[pid  3830] <... write resumed>)        = 28",
    )
    assert (first, second) == (": ", 'raise E("first line of all")')
