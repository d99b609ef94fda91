import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from command_line import needs_strace

from tracediag.recording import Ending, Recording, RecordingError, Strace, find_strace


@pytest.fixture
def strace():
    return find_strace()


def script(folder, text):
    path = folder / "strace"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def lines_of(recording):
    return "".join(recording.follow("trace").pieces()).splitlines(keepends=True)


def wait_for(recording, text):
    limit = time.monotonic() + 60
    while text not in recording.trace.read_text(errors="replace"):
        assert time.monotonic() < limit, f"{text} did not come"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("said", "version", "yy"),
    [("strace -- version 6.1", (6, 1), True), ("strace -- version 4.8", (4, 8), False), ("who knows", (0, 0), False)],
)
def test_options_follow_the_version(tmp_path, monkeypatch, said, version, yy):
    script(tmp_path, f"echo '{said}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = find_strace()
    assert found.version == version
    assert ("-yy" in found.options) == yy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("exit 1", "cannot be run: strace -V exits with 1$", id="fails"),
        pytest.param("echo 'no libunwind' >&2; exit 127", "exits with 127: no libunwind$", id="says-why"),
        pytest.param("kill -SEGV $$", "dies of signal 11$", id="crashes"),
        pytest.param("sleep 60 & sleep 60", "hangs: strace -V did not end within 0.5 s$", id="hangs"),
    ],
)
def test_an_strace_that_does_not_run_is_not_called_missing(tmp_path, monkeypatch, text, said):
    path = script(tmp_path, text)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(RecordingError, match=f"^{path} .*{said}"):
        find_strace(patience=0.5)


def test_an_strace_of_another_machine_is_told(tmp_path, monkeypatch):
    path = script(tmp_path, "")
    path.write_bytes(b"\x7fELF nonsense")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecordingError, match="cannot be run: Exec format error"):
        find_strace()


def test_an_strace_that_may_not_trace_is_an_error(tmp_path):
    path = script(tmp_path, "echo 'ptrace: Operation not permitted' >&2; exit 1")
    with Recording(Strace(str(path), (6, 1)), ["true"], str(tmp_path / "trace")) as recording:
        assert lines_of(recording) == []
        with pytest.raises(RecordingError, match="exit code 1"):
            recording.check()


def test_a_trace_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(RecordingError, match="missing/trace: No such file or directory"):
        Recording(Strace("/usr/bin/strace", (6, 1)), ["true"], str(tmp_path / "missing" / "trace"))


@pytest.mark.parametrize("place", ["/dev/full", "/dev/null", "/tmp"])
def test_a_trace_that_could_not_be_read_back_is_an_error(place):
    with pytest.raises(RecordingError, match=f"^{place}: not a regular file"):
        Recording(Strace("/usr/bin/strace", (6, 1)), ["true"], place)


def test_an_strace_that_cannot_be_started_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = {path.name for path in Path("/proc/self/fd").iterdir()}
    with pytest.raises(RecordingError, match="nowhere: No such file"):
        Recording(Strace("/nowhere", (6, 1)), ["true"])
    assert list(tmp_path.iterdir()) == []
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == before


def test_half_lines_wait_for_their_end(tmp_path):
    find_file = 'while [ "$1" != -o ]; do shift; done; f=$2'
    path = script(tmp_path, f"{find_file}; exec >$f; printf 'one\\ntw'; sleep 0.2; printf 'o\\nthree'")
    with Recording(Strace(str(path), (6, 1)), ["true"], str(tmp_path / "trace")) as recording:
        assert lines_of(recording) == ["one\n", "two\n", "three\n"]


@needs_strace
def test_lines_come_while_the_command_runs(tmp_path, strace):
    with Recording(strace, ["sleep", "60"], str(tmp_path / "trace")) as recording:
        for piece in recording.follow("trace").pieces():
            if "clock_nanosleep" in piece or "execve" in piece:
                break
        assert recording.running
        recording.signal(signal.SIGTERM)
        assert recording.wait(30)
        assert "killed by SIGTERM" in lines_of(recording)[-1]
        recording.signal(signal.SIGTERM)  # too late, and no error
        recording.check()


@needs_strace
def test_kill_ends_a_command_that_is_deaf(tmp_path, strace):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    with Recording(strace, [sys.executable, "-c", deaf], str(tmp_path / "trace")) as recording:
        wait_for(recording, "clock_nanosleep")
        recording.signal(signal.SIGTERM)
        assert not recording.wait(0.3)
        recording.kill()
        assert not recording.running


@needs_strace
def test_terminate_kills_what_is_deaf_after_a_while(tmp_path, strace):
    with Recording(strace, ["sh", "-c", "trap '' TERM; while :; do sleep 9; done"], str(tmp_path / "t")) as recording:
        wait_for(recording, "clock_nanosleep")
        recording.terminate(grace=0.3)
        assert "killed by SIGKILL" in lines_of(recording)[-1]


@needs_strace
def test_a_trace_that_is_not_kept_is_gone(tmp_path, strace):
    with Recording(strace, ["true"]) as recording:
        assert lines_of(recording)
        assert recording.trace.exists()
    assert not recording.trace.parent.exists()
    with Recording(strace, ["true"], str(tmp_path / "kept")) as recording:
        pass
    assert recording.trace.exists()


@needs_strace
@pytest.mark.parametrize("children", ["", "sleep 0.2 & "])
@pytest.mark.parametrize(
    ("end", "ending", "shell"),
    [
        ("exit 0", Ending(status=0), 0),
        ("exit 255", Ending(status=255), 255),
        ("kill -TERM $$", Ending(signal=signal.SIGTERM), 143),
        ("kill -KILL $$", Ending(signal=signal.SIGKILL), 137),
        ("kill -SEGV $$", Ending(signal=signal.SIGSEGV), 139),
        ("kill -36 $$", Ending(signal=36), 164),
    ],
)
def test_the_end_of_the_command_is_known(tmp_path, strace, children, end, ending, shell):
    with Recording(strace, ["sh", "-c", f"{children}{end}"], str(tmp_path / "trace")) as recording:
        assert recording.ending() is None
        lines_of(recording)
        assert recording.ending() == ending
        assert ending.shell_status == shell


@needs_strace
def test_no_process_outlives_an_strace_that_is_killed(tmp_path, strace):
    seconds = str(1_000_000 + os.getpid())  # by which they are known
    command = ["sh", "-c", f"setsid sleep {seconds} & sleep {seconds}"]
    with Recording(strace, command, str(tmp_path / "trace")) as recording:
        limit = time.monotonic() + 60
        while len(pids := sleeping(seconds)) < 2:
            assert time.monotonic() < limit
            time.sleep(0.02)
        recording.process.kill()
        lines_of(recording)
        assert recording.ending() is None
        assert sleeping(seconds) == pids
    assert sleeping(seconds) == []


def sleeping(seconds):
    """The processes `sleep SECONDS`."""
    line = f"sleep\0{seconds}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == line:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return sorted(found)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@needs_strace
def test_a_full_disk_costs_the_rest_of_the_trace_only(small_disk, strace, capfd):
    many = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=2000"]
    with Recording(strace, many, str(small_disk / "trace"), stdout=subprocess.DEVNULL) as recording:
        source = recording.follow("trace")
        text = "".join(source.pieces())
        assert len(text.encode()) in (1 << 16, (1 << 16) + 1)
        assert recording.ending() == Ending(status=0)
    assert source.damage == "No space left on device: the rest of the trace is not recorded"
    assert "No space" not in capfd.readouterr().err


@needs_strace
def test_a_disk_that_is_full_already_is_an_error(small_disk, strace):
    (small_disk / "ballast").write_bytes(bytes(1 << 16))
    with Recording(strace, ["true"], str(small_disk / "trace")) as recording:
        assert lines_of(recording) == []
        with pytest.raises(RecordingError, match="No space left on device: nothing could be recorded"):
            recording.check()
