"""How the usual ends of calls are read: as the parser of all results reads them, and within bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.reading import Reader
from tracediag.reading.ends import Ends, aligned
from tracediag.reading.result import read_result
from tracediag.trace.events import Syscall

_RESULTS = st.one_of(
    st.integers(-1, 2**63).map(str),
    st.integers(0, 2**64 - 1).map(hex),
    st.sampled_from(
        [
            "?",
            "? ERESTARTSYS (To be restarted if SA_RESTART is set)",
            "-1 ENOENT (No such file or directory)",
            "-1 EAGAIN (Resource temporarily unavailable)",
            "3</etc/hosts>",
            "5<socket:[4711]>",
            "0 (Timeout)",
            "1 ([{fd=3, revents=POLLIN}])",
            "0x2 (flags O_RDWR)",
        ]
    ),
)
_TOOK = st.one_of(st.just(""), st.integers(0, 10**9).map(lambda micro: f" <{micro / 10**6:.6f}>"))


@given(said=_RESULTS, took=_TOOK)
def test_an_end_says_what_the_parser_of_all_results_reads_in_it(said: str, took: str) -> None:
    result = read_result(f"= {said}{took}")
    assert result is not None
    for _ in range(2):  # read, then remembered
        end = Ends()[said + took]
        if end is not None:
            assert end == (result.value, result.errno, f"= {said}{took}", result.detail, result.duration)


@pytest.mark.parametrize(
    ("said", "result", "errno", "detail", "took"),
    [
        ("0", 0, None, "", None),
        ("? ERESTARTSYS (To be restarted) <0.5>", None, "ERESTARTSYS", "To be restarted", 0.5),
        ("-1 EPIPE (Broken pipe)", -1, "EPIPE", "Broken pipe", None),
        ("4<TCP:[127.0.0.1:80->127.0.0.1:9]> <0.000021>", 4, None, "TCP:[127.0.0.1:80->127.0.0.1:9]", 0.000021),
        ("0x7f00 (flags O_RDWR)", 0x7F00, None, "flags O_RDWR", None),
    ],
)
def test_the_usual_ends_are_read_without_the_slow_parser(
    said: str, result: int | None, errno: str | None, detail: str, took: float | None
) -> None:
    assert Ends()[said] == (result, errno, f"= {said}", detail, took)


@pytest.mark.parametrize("said", ["", "?!", '5", 10) <unfinished ...>', "-11 EAGAIN (x)", "0 (INJECTED)", "9" * 30])
def test_what_is_no_usual_end_is_left_to_the_slow_parser(said: str) -> None:
    assert Ends()[said] is None


def test_a_trace_cannot_fill_the_memory_with_different_ends() -> None:
    ends = Ends()
    for number in range(10_000):
        assert ends[str(number)] == (number, None, f"= {number}", "", None)
    assert len(ends) < 5_000


@pytest.mark.parametrize(
    ("rest", "parts"),
    [
        ("3)                = 0", ("3", "= ", "0")),
        (")  = 7 <0.1>", ("", "= ", "7 <0.1>")),
        ('1, "a= b", 4) = 4', ('1, "a= b", 4', "= ", "4")),
        ("3, F_SETFL, x = 0", ("", "", "")),  # no parenthesis before it
        ("3)= 0", ("", "", "")),  # strace prints a blank
        ("3", ("", "", "")),
    ],
)
def test_blanks_may_stand_before_the_result(rest: str, parts: tuple[str, str, str]) -> None:
    assert aligned(rest) == parts


def test_an_end_inside_a_string_is_no_end() -> None:
    split = Ends().split('1, "x) = 5 y", 10)   = 10')
    assert split is not None
    assert split[0] == '1, "x) = 5 y", 10'
    assert split[1][0] == 10


@pytest.mark.parametrize("pid", ["", "7 "])
@pytest.mark.parametrize(
    "line", ["close(3)   = 0", "gettid()   \\\\ = 9", 'write(1, ") = 5", 5) = 5', "read(3, 8  = 2"]
)
def test_a_call_is_counted_alike_whether_or_not_it_is_wanted(pid: str, line: str) -> None:
    lines = [f"{pid}{line}", f"{pid}close(3)   = 0"]
    wanted, unwanted = Reader(lines), Reader(lines, calls=())
    assert any(isinstance(event, Syscall) for event in list(wanted))
    assert not list(unwanted)
    assert wanted.counts.kinds == unwanted.counts.kinds
