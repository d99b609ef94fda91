"""`analyze -j`: several traces at a time, and what they have in common; nothing else about them changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import environment, tracediag

SAMPLES = Path(__file__).parents[2] / "samples"
OWN = Path(__file__).parents[1] / "data" / "own_rules" / "good"
PATTERN = SAMPLES / "double-close" / "*.strace"


@pytest.mark.parametrize("jobs", ["1", "3", "auto"])
def test_each_finding_is_told_once_with_its_traces(jobs: str, tmp_path: Path) -> None:
    files = [f"{name}:{tmp_path / name}" for name in ("json", "full", "junit")]
    options = [part for file in files for part in ("-o", file)]
    done = tracediag("analyze", "-j", jobs, "--format", "concise", *options, PATTERN, SAMPLES / "none")
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].endswith("fd 3 (app.log) (in 2 of 12 traces)")
    document = json.loads((tmp_path / "json").read_text())
    assert (document["schema"], document["traces"], len(document["findings"])) == ("tracediag-many/1", 12, 5)
    assert document["unread"] == [{"path": str(SAMPLES / "none"), "error": "no such file or directory"}]
    assert (tmp_path / "full").read_text().startswith("in 2 of 12 traces: first in ")
    assert (tmp_path / "junit").read_text().count("<testsuite ") == 12
    assert done.stderr.splitlines() == [
        f"tracediag: {SAMPLES / 'none'}: no such file or directory",
        "tracediag: 12 traces (1 could not be analysed), 692 lines: 8 have findings: 2 errors, 1 warning, 2 notes",
    ]


def test_a_limit_by_traces_decides_the_exit_code() -> None:
    for limit, code in (("error>=2/12 traces", 1), ("error>=3/12 traces", 0), ("never", 0)):
        assert tracediag("analyze", "-q", "-j", "2", "--fail-on", limit, PATTERN).returncode == code


def test_ignores_baseline_and_own_rules_work_in_the_workers(tmp_path: Path) -> None:
    for path in PATTERN.parent.glob("bug.*"):
        shutil.copy(path, tmp_path)
    tracediag("baseline", "--write", "known", "bug.strace", cwd=tmp_path)
    ignores = "".join(f'[[ignores]]\nrule = "{rule}"\nreason = "r"\n' for rule in ("TD303", "TD101"))
    (tmp_path / "tracediag.toml").write_text(f'rules = ["{OWN}"]\n{ignores}')
    done = tracediag("analyze", "-j", "2", "*.strace", cwd=tmp_path)
    assert "the ignore of TD101 fits no finding: r" in done.stdout
    assert "the ignore of TD303 fits" not in done.stdout
    assert "tracediag: the configuration ignores 1 finding\n" in done.stderr
    known = tracediag("analyze", "--isolated", "-j", "2", "--baseline", "known", "*.strace", cwd=tmp_path)
    assert "known: 1 known finding left out" in known.stderr
    assert known.stdout.startswith("no findings")


@pytest.mark.parametrize("arguments", [("--follow", "x"), ("-",), ("x", "-")])
def test_what_it_does_not_go_with(arguments: tuple[str, ...]) -> None:
    done = tracediag("analyze", "-j", "2", *arguments)
    assert done.returncode == 2
    assert "-j takes files" in done.stderr
    for number in ("0", "-1", "x", "9" * 4000):
        assert "is neither a number from 1 to 4096 nor auto" in tracediag("analyze", "-j", number, "x").stderr


def test_a_stop_leaves_no_worker(tmp_path: Path) -> None:
    line = '7 read(3, "abc", 3) = 3\n'
    for number in range(4):
        (tmp_path / f"{number}.strace").write_text(line * 200_000)
    command = [sys.executable, "-m", "tracediag", "analyze", "-j", "2", str(tmp_path / "*.strace")]
    process = subprocess.Popen(command, env=environment(), stdout=-3, stderr=-3, start_new_session=True)
    workers = wait_for_workers(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_workers(pid: int) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + 60
    while len(found := children.read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("jobs", [(), ("-j", "2")], ids=["in turn", "at a time"])
@pytest.mark.parametrize("kind", ["twice", "dot", "symlink", "hard link"])
def test_a_file_with_two_names_is_one_trace(kind: str, jobs: tuple[str, ...], tmp_path: Path) -> None:
    shutil.copy(PATTERN.parent / "bug.strace", tmp_path / "a.strace")
    name = {"twice": "a.strace", "dot": "./a.strace"}.get(kind, "b.strace")
    if kind == "symlink":
        (tmp_path / name).symlink_to("a.strace")
    elif kind == "hard link":
        (tmp_path / name).hardlink_to(tmp_path / "a.strace")
    one = tracediag("analyze", *jobs, "--format", "concise", "a.strace", cwd=tmp_path)
    two = tracediag("analyze", *jobs, "--format", "concise", "a.strace", name, cwd=tmp_path)
    said = "named twice" if kind == "twice" else "the same file as a.strace"
    assert two.stderr == f"tracediag: {name}: {said}; it is read once\n{one.stderr}"
    assert two.stdout == one.stdout


def test_overlapping_patterns_and_sets_count_once(tmp_path: Path) -> None:
    for name in "abcde":
        shutil.copy(PATTERN.parent / "bug.strace", tmp_path / f"{name}.strace")
    for pid in (7, 8):
        (tmp_path / f"set.{pid}").write_text(f"getpid() = {pid}\n+++ exited with 0 +++\n")
    done = tracediag("analyze", "-j", "2", "*.strace", "[b-e].*", "set.7", "set", cwd=tmp_path)
    said, summary = done.stderr.splitlines()
    assert said == (
        "tracediag: b.strace, c.strace, d.strace and 2 more: 5 names of files that have another name, too; "
        "each file is read once"
    )
    assert summary.startswith("tracediag: 6 traces, 209 lines")


def test_a_pattern_matches_regular_files_only(tmp_path: Path) -> None:
    shutil.copy(PATTERN.parent / "bug.strace", tmp_path / "a.strace")
    os.mkfifo(tmp_path / "b.strace")
    (tmp_path / "c.strace").mkdir()
    done = tracediag("analyze", "-j", "2", "*.strace", cwd=tmp_path)
    assert done.stderr.startswith("tracediag: *.strace: b.strace, c.strace skipped: not a regular file\n")
    assert done.returncode == 0
    alone = tracediag("analyze", "-j", "2", "[bc]*", cwd=tmp_path)
    assert (alone.returncode, alone.stderr) == (
        2,
        "tracediag: [bc]* matches no regular file, only b.strace, c.strace\n",
    )


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["/bin/cp", PATTERN.parent / "bug.strace", tmp_path / "pipe"]):
        done = tracediag("analyze", "-j", "1", "pipe", cwd=tmp_path)
    assert done.stderr.startswith("tracediag: 1 trace")
