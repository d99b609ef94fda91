"""Pids and times, in every form and precision."""

from __future__ import annotations

import pytest

from tracediag.reading import Dialect, Reader
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit


def reading(*lines: str) -> tuple[list[Event], Dialect]:
    reader = Reader(lines)
    found = list(reader)
    assert reader.counts.not_understood == 0
    return found, reader.dialect


@pytest.mark.parametrize(
    ("prefix", "pid", "time"),
    [
        ("", None, None),
        ("815   ", 815, None),
        ("1488380 ", 1488380, None),
        ("[pid 13423] ", 13423, None),
        ("[pid   815] ", 815, None),
        ("14027<procs> ", 14027, None),
        ("[pid 10482<Web Content>] ", 10482, None),
        ("15822 [unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023] 03:33:39.501397 ", 15822, 12819.501397),
        ("03:32:16 ", None, 12736.0),
        ("13609 03:32:16.286765 ", 13609, 12736.286765),
        ("[pid 13693] 03:32:17.404 ", 13693, 12737.404),
        ("1795404820.760925880 ", None, 1795404820.760925880),
        ("1795404819 ", None, 1795404819.0),
        ("815   1795404819 ", 815, 1795404819.0),
        ("03:32:17.284320 (+     0.000120) ", None, 12737.28432),
        ("15985 1795404820.760925880 (+     0.000162900) ", 15985, 1795404820.760925880),
        ("      0.000165 ", None, 0.000165),
        ("815        0.25 ", 815, 0.25),
        ("[ 257] ", None, None),
        ("[00007fbeed446b1d] ", None, None),
        ("[f7f0e579] ", None, None),
        ("[    7fb749b4ec47] ", None, None),  # 4.5.20
        ("13751 03:32:17.857566 [ 257] [00007fbeed446b1d] ", 13751, 12737.857566),
        ("[pid 16057<tr>] 1795404821.632857 (+     0.000019) [ 231] [00007f724a455409] ", 16057, 1795404821.632857),
    ],
)
def test_prefixes(prefix: str, pid: int | None, time: float | None) -> None:
    for lines in (
        ["close(3) = 0"],
        ["close(3) = 0 # a remark", "+++ exited with 0 +++"],
    ):  # both paths
        found, _ = reading(*[prefix + line for line in lines])
        call = found[0]
        assert isinstance(call, Syscall)
        assert (call.pid, call.body, call.result) == (pid, "3", 0)
        assert call.time == (None if time is None else pytest.approx(time, abs=1e-9, rel=1e-16))


def test_unknown_instruction_pointer() -> None:
    (event,), _ = reading("1795404821.703179 (+     0.000199) [ 231] [????????????????] +++ exited with 3 +++")
    assert isinstance(event, Exit)
    assert event.time == 1795404821.703179


def test_midnight() -> None:
    found, dialect = reading(
        *[f"{stamp} close(3) = 0" for stamp in ("23:59:59.5", "00:00:00.5", "23:59:59.9", "00:01:00.0")]
    )
    assert [event.time for event in found] == [86399.5, 86400.5, 86399.9, 86460.0]
    assert dialect.time_kind == "clock"


def test_two_midnights() -> None:
    stamps = ["12:00:00", "23:00:00", "01:00:00", "13:00:00", "23:00:00", "02:00:00"]
    found, _ = reading(*[f"7 {stamp} close(3) = 0" for stamp in stamps])
    assert [event.time for event in found] == [43200, 82800, 90000, 133200, 169200, 180000]


def test_relative_times_include_calls_that_are_filtered_out() -> None:
    lines = ["     0.000000 getuid() = 0", "     0.500000 close(3) = 0", "     0.250000 getgid( <unfinished ...>",
             "     0.250000 <... getgid resumed>) = 0", "     1.000000 close(4) = 0 # remark"]  # fmt: skip
    assert [event.time for event in Reader(lines)][-1] == 2.0
    assert [event.time for event in Reader(lines, calls={"close"})] == [0.5, 2.0]


@pytest.mark.parametrize(
    ("lines", "kind", "pids"),
    [
        (["815   close(3) = 0", "12150 close(3) = 0"], "none", [815, 12150]),
        (["    755664 close(3) = 0", "    756350 close(3) = 0"], "none", [755664, 756350]),  # indented
        (["1795404819 close(3) = 0", "1795404820 close(4) = 0"], "epoch", [None, None]),
        (
            ["     0 close(3) = 0", "     1 close(4) = 0", "    12 close(4) = 0"],
            "relative",
            [None] * 3,
        ),  # -r in seconds
        (["0 close(3) = 0", "1 close(4) = 0"], "relative", [None] * 2),
        (["815        0 close(3) = 0", "816        1 close(4) = 0"], "relative", [815, 816]),
    ],
)
def test_a_bare_number(lines: list[str], kind: str, pids: list[int | None]) -> None:
    found, dialect = reading(*lines)
    assert dialect.time_kind == kind
    assert [event.pid for event in found] == pids


def test_the_dialect_lists_the_facts_of_the_recording() -> None:
    _, plain = reading("close(3) = 0")
    has = (plain.has_pids, plain.time_kind, plain.has_durations, plain.has_fd_paths, plain.has_socket_details)
    assert has == (False, "none", False, False, False)
    _, paths = reading("7 close(3</srv/x>) = 0 <0.000003>")
    assert (paths.has_pids, paths.has_durations, paths.has_fd_paths, paths.has_socket_details) == (
        True,
        True,
        True,
        False,
    )
    _, sockets = reading("12:00:00 close(3<TCP:[127.0.0.1:1->127.0.0.1:2]>) = 0")
    assert (sockets.time_kind, sockets.has_fd_paths, sockets.has_socket_details) == ("clock", True, True)
    _, comms = reading("14027<procs> kill(14027<procs>, SIGKILL) = 0")
    assert not comms.has_fd_paths


def test_what_shows_up_late_is_noticed() -> None:
    lines = ["futex(0x1, FUTEX_WAKE, 1) = 0"] * 3000 + ["[pid 7] close(3) = 0"] * 3000
    reader = Reader(lines)
    list(reader)
    assert reader.dialect.has_pids
