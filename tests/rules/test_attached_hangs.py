"""Programs that hung when strace was attached: what the trace and the look at /proc beside it tell together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import UnreadableError, analyze

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


@pytest.mark.parametrize("sample", ["deadlock", "first-ended"])
def test_a_recording_without_a_line_is_answered_by_what_proc_showed(sample: str, tmp_path: Path) -> None:
    (tmp_path / "hung.strace").touch()
    (tmp_path / "hung.strace.proc.json").write_bytes((SAMPLES / f"{sample}.strace.proc.json").read_bytes())
    report = analyze(str(tmp_path / "hung.strace"))
    assert report.input.lines == 0
    assert report.waiting
    assert all("a deadlock, no thread of it can continue" in wait.reason for wait in report.waiting)
    (tmp_path / "hung.strace.proc.json").unlink()
    with pytest.raises(UnreadableError, match="the file is empty"):
        analyze(str(tmp_path / "hung.strace"))
