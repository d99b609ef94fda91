"""Lines break if the device has a width, and keep their text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracediag.report.visible import visible
from tracediag.report.wrapping import flow, wrap


def test_without_a_width_nothing_is_broken() -> None:
    assert wrap("a " * 500, None) == ["a " * 500]
    assert flow(["a" * 500, "b" * 500], None, "   ") == [f"{'a' * 500}   {'b' * 500}"]


def test_lines_break_at_a_space_or_else_in_a_word() -> None:
    assert wrap("one two three four", 9) == ["one two", "three", "four"]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrap("one two three four", 13, 9) == ["one two three", "four"]
    assert wrap("", 10) == [""]


def test_paths_and_flags_break_after_a_separator() -> None:
    assert wrap("/usr/lib/x86_64-linux-gnu/libc.so.6", 30) == ["/usr/lib/x86_64-linux-gnu/", "libc.so.6"]
    assert wrap("FUTEX_WAIT_PRIVATE|FUTEX_CLOCK_REALTIME", 24) == ["FUTEX_WAIT_PRIVATE|", "FUTEX_CLOCK_REALTIME"]


@given(st.text(max_size=300), st.integers(1, 60), st.one_of(st.none(), st.integers(1, 60)))
def test_every_line_fits_and_no_character_but_a_space_is_lost(text: str, width: int, later: int | None) -> None:
    first, *others = wrap(text, width, later)
    assert len(first) <= width
    assert all(len(line) <= (later or width) for line in others)
    assert "".join([first, *others]).replace(" ", "") == visible(text).replace(" ", "")


def test_parts_stand_side_by_side_while_there_is_room() -> None:
    assert flow(["run.strace:12", "fd 5", "confidence: certain"], 24, "   ") == [
        "run.strace:12   fd 5",
        "confidence: certain",
    ]
