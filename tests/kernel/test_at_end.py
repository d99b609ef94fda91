"""Reads that return 0 bytes are counted until there is data again; the waits between them are counted too."""

from __future__ import annotations

from test_process_table import kernel_of

from tracediag.kernel.descriptor import AtEnd

OPEN = 'openat(AT_FDCWD, "/srv/a", O_RDONLY) = 3'
DATA = 'read(3, "x", 64) = 1'
NOTHING = 'read(3, "", 64) = 0'
SLEEP = "nanosleep({tv_sec=1, tv_nsec=0}, NULL) = 0"
POLL = "poll(NULL, 0, 100) = 0 (Timeout)"


def at_end(*lines: str) -> AtEnd | None:
    (process,) = kernel_of(OPEN, *lines).processes
    held = process.table.get(3)
    assert held is not None
    return held.file.at_end


def test_reads_of_nothing_are_counted() -> None:
    end = at_end(DATA, NOTHING, NOTHING, NOTHING)
    assert end is not None
    assert (end.times, end.first.line, end.last.line) == (3, 3, 5)


def test_data_ends_the_count() -> None:
    assert at_end(NOTHING, NOTHING, DATA) is None


def test_the_longest_count_is_kept() -> None:
    (process,) = kernel_of(OPEN, *[NOTHING] * 5, DATA, *[NOTHING] * 4, DATA, NOTHING).processes
    held = process.table.get(3)
    assert held is not None
    assert held.file.longest is not None
    assert (held.file.longest.times, held.file.longest.first.line) == (5, 2)


def test_a_read_of_zero_bytes_shows_no_end() -> None:
    assert at_end('read(3, "", 0) = 0') is None


def test_waits_are_counted_from_the_first() -> None:
    end = at_end(SLEEP, NOTHING, POLL, NOTHING, SLEEP, NOTHING, SLEEP)
    assert end is not None
    assert (end.times, end.waits) == (3, 2)


def test_a_socket_has_its_own_end() -> None:
    (process,) = kernel_of("socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3", NOTHING).processes
    held = process.table.get(3)
    assert held is not None
    assert held.file.at_end is None
    assert held.file.socket is not None
    assert held.file.socket.ended is not None
