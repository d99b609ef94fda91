"""Reports that are printed while the trace is still being written."""

import signal
import subprocess
import sys
from pathlib import Path

from command_line import environment, tracediag

SAMPLES = Path(__file__).parents[2] / "samples"


def test_a_pipe_is_reported_while_it_comes():
    trace = (SAMPLES / "epollserver" / "double-close.strace").read_text()
    command = [sys.executable, "-m", "tracediag", "analyze", "-", "--format", "concise"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as process:
        process.stdin.write(trace)
        process.stdin.flush()
        first = process.stdout.readline()  # printed although the pipe is still open
        assert "double-close" in first
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_growing_trace_is_followed_until_interrupted(tmp_path):
    path = tmp_path / "trace"
    path.write_text((SAMPLES / "epollserver" / "double-close.strace").read_text())
    command = [sys.executable, "-m", "tracediag", "analyze", "--follow", str(path), "--format", "concise"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert "double-close" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"{len(path.read_text().splitlines())} lines" in said


def test_a_piped_report_names_nothing_that_was_not_found():
    """A rule names all that may follow from its finding; which of it will show is not known while the trace comes."""
    trace = (SAMPLES / "descriptor-limit-reached" / "bug.strace").read_text()
    done = tracediag("analyze", "--format", "full", input=trace)
    assert "descriptor-limit-reached" in done.stdout
    assert "    explains  " not in done.stdout
    assert "accept-emfile-spin" not in done.stdout
