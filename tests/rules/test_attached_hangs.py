"""Programs that hung when strace was attached: what the trace and the look at /proc beside it tell together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze

SAMPLES = Path(__file__).parents[2] / "samples" / "attach"
TOLD = [
    ("feeder", "waits-in-a-circle", "python3.11 (pid 24496) and python3.11 (pid 24498) wait for each other: "),
    ("first-ended", "lock-never-released", "deadlock in first-ended (pid 24520): thread waits for itself"),
    ("lockpoll", "lock-refused", "/attach/lock-frontend, which python3.11 (pid 24584) holds: 1 attempt"),
    ("orphan", "lock-never-released", "it: the process that should have woken this one has ended"),
    ("unreaped", "sleep-and-poll", "which has ended, to be waited for by its parent python3.11 (pid 24641)"),
]


@pytest.mark.parametrize(("sample", "name", "title"), TOLD)
def test_the_object_and_the_process_that_could_end_the_wait_are_named(sample: str, name: str, title: str) -> None:
    (found,) = analyze(str(SAMPLES / f"{sample}.strace")).findings
    assert found.name == name
    assert title in found.title


def test_a_lock_between_processes_needs_another_cure_than_one_between_threads() -> None:
    (found,) = analyze(str(SAMPLES / "orphan.strace")).findings
    assert "which the kernel releases when a process ends" in found.fix
