"""`run` and `demo` under real strace."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import environment, needs_strace, tracediag

from tracediag.epollserver import FAULTS

pytestmark = needs_strace

DOUBLE_CLOSE = "import os; fd = os.dup(1); os.close(fd)\ntry: os.close(fd)\nexcept OSError: print('again')"


def test_run_keeps_the_trace_and_leaves_the_output_alone(tmp_path):
    trace, report = tmp_path / "run.strace", tmp_path / "report.json"
    done = tracediag(
        "run", "-o", trace, "--report", f"json:{report}", "--fail-on", "never", "--",
        sys.executable, "-c", "import sys; print(sys.stdin.read()); print('aside', file=sys.stderr)",
        input="[hello]",
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("[hello]\n")
    assert done.stderr.startswith("aside\n")
    document = json.loads(report.read_text())
    assert document["input"]["path"] == str(trace)
    assert document["input"]["lines"] == len(trace.read_bytes().splitlines())
    assert document["input"]["not_understood"]["count"] == 0


def test_run_finds():
    done = tracediag("run", "--format", "concise", "--fail-on", "note", "--", sys.executable, "-c", DOUBLE_CLOSE)
    assert done.returncode == 1
    first, *findings = done.stdout.splitlines()
    assert first == "again"
    assert any("[TD303] double-close: " in line for line in findings)


def test_run_gives_the_command_no_descriptor_of_ours():
    done = tracediag("run", "--exit-zero", "--", "ls", "/proc/self/fd")
    assert done.stdout.splitlines()[:4] == ["0", "1", "2", "3"]  # 3 is the folder itself
    assert not done.stdout.splitlines()[4].isdigit()


def wait_for(path, text):
    for _ in range(1000):
        if path.exists() and text in path.read_text(errors="replace"):
            return
        time.sleep(0.02)
    raise AssertionError(f"{text} did not come")


@pytest.mark.parametrize(
    ("script", "signals"),
    [
        pytest.param("exec sleep 60", 1, id="one"),
        pytest.param("trap '' INT; sleep 60 & wait; wait; wait", 2, id="deaf-to-ctrl-c"),
        pytest.param("trap '' INT TERM; while :; do sleep 60; done", 3, id="deaf-to-all"),
    ],
)
def test_ctrl_c_gives_the_report(tmp_path, script, signals):
    trace = tmp_path / "run.strace"
    command = [sys.executable, "-m", "tracediag", "run", "-o", str(trace), "--exit-zero", "--", "sh", "-c", script]
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_for(trace, "clock_nanosleep")
        for _ in range(signals):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            time.sleep(0.3)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, err
    assert "no findings" in out or "[TD" in out
    assert "Traceback" not in err
    assert f"{trace}: " in err.splitlines()[-1]


@pytest.mark.parametrize("fault", FAULTS)
def test_demo_names_the_fault(fault):
    done = tracediag("demo", fault, "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    names = [finding["name"] for finding in document["findings"]]
    assert FAULTS[fault].rule in names[:2]
    assert "started the bundled server" in done.stderr


def test_demo_without_strace_takes_the_sample(tmp_path):
    done = tracediag("demo", env={"PATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "strace is not installed: analysing the recorded sample accept-once.strace" in done.stderr
    assert "edge-triggered-accept-once" in done.stdout.splitlines()[0]


def test_run_without_strace_says_so(tmp_path):
    done = tracediag("run", "--", sys.executable, "-V", env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.startswith("tracediag: strace is not installed")
