"""Which waits for a lock are contention: its word, whether those that wait release it, and what its holders do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence, Finding

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "lock-contention"
GLIBC, MUSL, CONDITION = 2, 0x80000010, 0
BUSY = 0.02
"""Seconds that each wait takes."""


def turns(value: int, *, wakes: bool = True, meanwhile: str = "", rounds: int = 30) -> Iterator[str]:
    """Yield a process in which two threads wait by turns for one word, as `strace -f -ttt -T` prints it."""
    now = 1795902864.0
    yield f"7 {now:.6f} clone(child_stack=0x1, flags=CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8 <0.000010>\n"
    for number in range(rounds):
        waits, holds = (7, 8) if number % 2 else (8, 7)
        yield f"{waits} {now:.6f} futex(0x55aa00, FUTEX_WAIT_PRIVATE, {value}, NULL <unfinished ...>\n"
        now += BUSY
        if meanwhile:
            yield f"{holds} {now - BUSY / 2:.6f} {meanwhile}\n"
        waker = holds if wakes else 9
        yield f"{waker} {now:.6f} futex(0x55aa00, FUTEX_WAKE_PRIVATE, 1) = 1 <0.000010>\n"
        yield f"{waits} {now + 0.00001:.6f} <... futex resumed>) = 0 <{BUSY:.6f}>\n"
        now += 0.0001


def found_in(lines: Iterator[str]) -> list[Finding]:
    return [finding for finding in analyze(lines).findings if finding.name == "lock-contention"]


@pytest.mark.parametrize("value", [GLIBC, MUSL])
def test_the_word_of_a_contended_mutex(value: int) -> None:
    (finding,) = found_in(turns(value))
    assert "2 threads of process 7 wait for the mutex at 0x55aa00 30 times, together 600 ms" in finding.title


def test_a_mutex_with_priority_inheritance() -> None:
    lines = (line.replace("FUTEX_WAIT_PRIVATE, 2", "FUTEX_LOCK_PI_PRIVATE") for line in turns(GLIBC))
    assert (
        len(found_in(line.replace("FUTEX_WAKE_PRIVATE, 1) = 1", "FUTEX_UNLOCK_PI_PRIVATE) = 0") for line in lines)) == 1
    )


def test_a_condition_or_semaphore_is_none() -> None:
    assert found_in(turns(CONDITION)) == []


def test_threads_that_wait_and_never_release() -> None:
    assert found_in(turns(GLIBC, wakes=False)) == []


@pytest.mark.parametrize(
    "idle",
    [
        "accept(3<TCP:[127.0.0.1:80]>, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:9]> <0.01>",
        "futex(0x55bb00, FUTEX_WAIT_BITSET_PRIVATE, 4294967295, NULL, FUTEX_BITSET_MATCH_ANY) = 0 <0.01>",
    ],
)
def test_a_holder_that_waits_for_work(idle: str) -> None:
    assert found_in(turns(GLIBC, meanwhile=idle)) == []


def test_the_call_that_is_made_with_the_lock_held() -> None:
    (finding,) = found_in(turns(GLIBC, meanwhile="fsync(5</srv/journal>) = 0 <0.010000>"))
    assert finding.fix.startswith("move fsync out of the locked part; ")
    assert any("made with the lock held" in step.note and step.text.startswith("fsync(") for step in finding.steps)


def crowd(turn: float) -> Iterator[str]:
    """Yield a process in which ten threads wait five times for one word, each time for `turn` seconds."""
    threads, now = range(8, 18), 1795902864.0
    for tid in threads:
        flags = "CLONE_VM|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"
        yield f"7 {now:.6f} clone(child_stack=0x1, flags={flags}) = {tid} <0.000010>\n"
    for _ in range(5):
        yield from (
            f"{tid} {now:.6f} futex(0x55aa00, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>\n" for tid in threads
        )
        now += turn
        for tid in threads:
            yield f"{tid} {now:.6f} <... futex resumed>) = 0 <{turn:.6f}>\n"
            yield f"{tid} {now:.6f} futex(0x55aa00, FUTEX_WAKE_PRIVATE, 1) = 1 <0.000010>\n"


def test_a_burst_that_no_user_notices() -> None:
    assert len(found_in(crowd(0.021))) == 1
    assert found_in(crowd(0.019)) == []  # 950 ms of ten threads together, within 95 ms


def test_few_waits_are_none() -> None:
    start = '7 1795902863.900000 execve("./a", ["./a"], 0x7ffd) = 0 <0.000100>\n'
    assert len(found_in(chain([start], turns(GLIBC, rounds=20)))) == 1
    assert found_in(chain([start], turns(GLIBC, rounds=19))) == []


def test_half_of_the_waits_suffice_where_the_start_is_cut_off() -> None:
    (finding,) = found_in(turns(GLIBC, rounds=10))
    assert finding.confidence is Confidence.POSSIBLE
    assert found_in(turns(GLIBC, rounds=9)) == []


def test_threads_whose_birth_is_not_shown() -> None:
    (finding,) = found_in(line for line in turns(GLIBC) if "clone(" not in line)
    assert "2 threads wait for the mutex at 0x55aa00 30 times" in finding.title


def test_a_recording_that_hides_what_holders_wait_for() -> None:
    whole = (SAMPLES / "fixed-accept.strace").read_text().splitlines(keepends=True)
    lines = [line for line in whole if any(name in line for name in ("flock", "close", "exit"))]
    found = [one for one in analyze(lines).findings if one.name == "lock-contention"]
    assert [(str(one.severity), str(one.confidence)) for one in found] == [("note", "possible")]
    assert [one for one in analyze(SAMPLES / "fixed-accept.strace").findings if one.name == "lock-contention"] == []


@pytest.mark.parametrize(("name", "severity"), [("bug-fcntl.strace", "warning"), ("bug-fcntl.f.strace", "note")])
def test_two_processes_and_a_lock_of_fcntl(name: str, severity: str) -> None:
    (finding,) = (one for one in analyze(SAMPLES / name).findings if one.name == "lock-contention")
    assert str(finding.severity) == severity
    assert "journal" in finding.object
