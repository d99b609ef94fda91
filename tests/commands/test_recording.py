import signal
import stat
import sys
import time

import pytest
from command_line import needs_strace

from tracediag.recording import Recording, RecordingError, Strace, find_strace, trace_file


@pytest.fixture
def strace():
    found = find_strace()
    assert found is not None
    return found


def script(folder, text):
    path = folder / "strace"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("said", "version", "yy"),
    [("strace -- version 6.1", (6, 1), True), ("strace -- version 4.8", (4, 8), False), ("who knows", (0, 0), False)],
)
def test_options_follow_the_version(tmp_path, monkeypatch, said, version, yy):
    script(tmp_path, f"echo '{said}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = find_strace()
    assert found is not None
    assert found.version == version
    assert ("-yy" in found.options) == yy


def test_an_strace_that_does_not_run_is_none(tmp_path, monkeypatch):
    script(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_strace() is None


def test_an_strace_that_may_not_trace_is_an_error(tmp_path):
    path = script(tmp_path, "echo 'ptrace: Operation not permitted' >&2; exit 1")
    recording = Recording(Strace(str(path), (6, 1)), ["true"], tmp_path / "trace")
    assert list(recording.lines()) == []
    with pytest.raises(RecordingError, match="exit code 1"):
        recording.check()


def test_a_trace_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(RecordingError, match="No such file or directory"):
        Recording(Strace("/usr/bin/strace", (6, 1)), ["true"], tmp_path / "missing" / "trace")


def test_half_lines_wait_for_their_end(tmp_path):
    find_file = 'while [ "$1" != -o ]; do shift; done; f=$2'
    path = script(tmp_path, f"{find_file}; printf 'one\\ntw' >$f; sleep 0.2; printf 'o\\nthree' >>$f")
    recording = Recording(Strace(str(path), (6, 1)), ["true"], tmp_path / "trace")
    assert list(recording.lines()) == ["one\n", "two\n", "three"]


@needs_strace
def test_lines_come_while_the_command_runs(tmp_path, strace):
    recording = Recording(strace, ["sleep", "60"], tmp_path / "trace")
    start = time.monotonic()
    for line in recording.lines():
        if "clock_nanosleep" in line or "execve" in line:
            break
    assert time.monotonic() - start < 30
    assert recording.running
    recording.signal(signal.SIGTERM)
    assert recording.wait(30)
    assert "killed by SIGTERM" in recording.trace.read_text().splitlines()[-1]
    recording.signal(signal.SIGTERM)  # too late, and no error
    recording.check()


@needs_strace
def test_kill_ends_a_command_that_is_deaf(tmp_path, strace):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    recording = Recording(strace, [sys.executable, "-c", deaf], tmp_path / "trace")
    while "clock_nanosleep" not in recording.trace.read_text():
        time.sleep(0.02)
    recording.signal(signal.SIGTERM)
    assert not recording.wait(0.3)
    recording.kill()
    assert not recording.running


def test_a_trace_that_is_not_kept_is_gone(tmp_path):
    with trace_file(None) as place:
        place.write_text("x")
    assert not place.exists()
    assert not place.parent.exists()
    with trace_file(str(tmp_path / "kept")) as place:
        place.write_text("x")
    assert place.exists()
