"""A fault has one fingerprint, however it was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze
from tracediag.results.fingerprint import fingerprint

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("write-after-peer-closed/bug", "write-after-peer-closed"),
        ("epipe-still-registered/bug", "write-after-peer-closed"),
        ("peer-reset/bug", "peer-reset"),
        ("edge-triggered-accept-once/bug", "write-after-peer-closed"),
        ("descriptor-limit-reached/bug", "descriptor-limit-reached"),
        ("lock-refused/bug", "lock-refused"),
        ("lock-contention/bug", "lock-contention"),
        ("lock-contention/bug-fcntl", "lock-contention"),
        ("lock-contention/bug-file", "lock-contention"),
        ("negative-length/bug", "bad-pointer"),
        ("mapping-truncated/bug", "mapping-truncated"),
        ("pipe-end-kept-open/bug-background", "pipe-end-kept-open"),
        ("small-writes-delayed/bug", "small-writes-delayed"),
        ("termination-ignored/bug", "termination-ignored"),
        ("blocking-fd-in-event-loop/bug", "blocking-fd-in-event-loop"),
    ],
)
def test_a_recording_without_addresses_and_times_gives_the_same(name: str, rule: str) -> None:
    """Of two recordings of one program, one has `-yy`, and so whole paths and each other end; and it has times."""
    found = [
        {each.fingerprint for each in analyze(SAMPLES / f"{name}{form}").findings if each.name == rule}
        for form in (".strace", ".f.strace")
    ]
    assert found[0]
    assert found[0] == found[1]


NOTED = 'openat(AT_FDCWD, "x") = -1 ENOENT (No such file or directory)'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("openat of /srv/app/log/a.log fails", "openat of log/a.log fails"),
        ("read on fd 5 (/srv/app/a.log) fails", "read on fd 7 (a.log) fails"),
        ("a query for printer.exam... is sent", "a query for printer.exam is sent"),
        ("the program writes this to fd 2", "the program reports the error on fd 2"),
        ("SIGKILL ends the process, 1.2 s later", "SIGKILL ends the process"),
        ("the answer arrives only after the delayed acknowledgement", "the answer"),
    ],
)
def test_what_a_recording_shows_by_chance_is_no_part_of_it(one: str, other: str) -> None:
    assert fingerprint("TD1", [(NOTED, one)]) == fingerprint("TD1", [(NOTED, other)])


def test_the_order_of_the_steps_is_no_part_of_it_nor_who_closes_the_other_end() -> None:
    steps = [(NOTED, "one"), ("close(3) = 0", "another")]
    closed = ("exit_group(0) = ?", "process 7 exits, which closes what must be the other end")
    assert fingerprint("TD1", steps) == fingerprint("TD1", [*reversed(steps), closed])


@pytest.mark.parametrize(
    "other",
    [
        [(NOTED, "openat of log/b.log fails")],
        [(NOTED.replace("ENOENT", "EACCES"), "openat of log/a.log fails")],
        [(NOTED.replace("openat", "open"), "openat of log/a.log fails")],
        [(NOTED, "openat of log/a.log fails"), (NOTED, "openat of log/a.log fails")],
    ],
)
def test_another_fault_has_another(other: list[tuple[str, str]]) -> None:
    steps = [(NOTED, "openat of log/a.log fails")]
    assert fingerprint("TD1", steps) not in (fingerprint("TD1", other), fingerprint("TD2", steps))
