"""`run` and `demo` under real strace."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from command_line import environment, first_finding, needs_strace, tracediag

from tracediag.epollserver import FAULTS

pytestmark = needs_strace

DOUBLE_CLOSE = "import os; fd = os.dup(1); os.close(fd)\ntry: os.close(fd)\nexcept OSError: print('again')"


def test_run_keeps_the_trace_and_leaves_the_output_alone(tmp_path):
    trace, report = tmp_path / "run.strace", tmp_path / "report.json"
    done = tracediag(
        "run", "--keep", trace, "-o", f"json:{report}", "--fail-on", "never", "--",
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
    for _ in range(3000):
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
    trace, said = tmp_path / "run.strace", tmp_path / "stderr"
    command = [sys.executable, "-m", "tracediag", "run", "--keep", str(trace), "--exit-zero", "--", "sh", "-c", script]
    with said.open("w") as stderr:
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True
        )
    # What shows that each but the last was taken: two at a time could be taken as one.
    taken = [(said, "press Ctrl-C again for SIGTERM"), (trace, "--- SIGTERM ")]
    try:
        wait_for(trace, "clock_nanosleep")
        for number in range(signals):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            if number < signals - 1:
                wait_for(*taken[number])
        out, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    err = said.read_text()
    assert process.returncode == 0, err
    assert "no findings" in out or "[TD" in out
    assert "Traceback" not in err
    assert f"{trace}: " in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "name"),
    [("demo", "|touch X"), *(("run", name) for name in ("|touch X", "!touch X", "|", " two\nlines ", "-x", "\udcff"))],
)
def test_no_name_of_a_trace_is_a_command(tmp_path, name, command):
    done = tracediag(command, f"--keep={name}", *(("--", "true") if command == "run" else ()), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert "exited with 0" in (tmp_path / name).read_text(errors="replace")
    assert "\n" not in name or "two\\nlines" in done.stderr


def test_standard_output_is_no_place_for_the_trace():
    done = tracediag("run", "--keep", "-", "--", "true")
    assert done.returncode == 2
    assert done.stderr == ("tracediag: --keep takes a file: standard output belongs to the command and to the report\n")


@pytest.mark.parametrize("command", ["run", "demo"])
def test_no_report_replaces_the_trace(tmp_path, command):
    place = tmp_path / "both"
    done = tracediag(command, "--keep", place, "-o", f"json:{place}", *(("--", "true") if command == "run" else ()))
    assert done.returncode == 2
    assert done.stderr.startswith(f"tracediag: {place}: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "options", "code", "said"),
    [
        ("exit 0", (), 0, "exited with status 0"),
        ("exit 3", (), 0, "exited with status 3"),
        ("exit 3", ("--exit-with-command",), 3, "exited with status 3"),
        ("sleep 0.2 & exit 3", ("--exit-with-command", "--exit-zero"), 3, "exited with status 3"),
        ("kill -KILL $$", ("--exit-with-command",), 137, "was killed by SIGKILL"),
        ("kill -SEGV $$", ("--exit-with-command",), 139, "was killed by SIGSEGV"),
    ],
)
def test_run_passes_on_how_the_command_ended(tmp_path, script, options, code, said):
    report = tmp_path / "report"
    done = tracediag("run", "--select", "double-close", "-o", f"json:{report}", *options, "--", "sh", "-c", script)
    assert done.returncode == code
    assert done.stderr.endswith(f": no findings; the command {said}\n")
    assert f" {said}\n" in done.stdout
    command = json.loads(report.read_text())["command"]
    assert command["argv"] == ["sh", "-c", script]
    assert str(command["status"]) in said or command["signal"] in said


def test_findings_count_where_the_command_succeeds():
    done = tracediag("run", "--exit-with-command", "--fail-on", "note", "--", sys.executable, "-c", DOUBLE_CLOSE)
    assert done.returncode == 1


@pytest.mark.parametrize("redact", [(), ("--redact",)], ids=["plain", "redacted"])
def test_a_command_that_succeeds_leaves_nothing_if_only_failures_matter(tmp_path, redact):
    trace, report = tmp_path / "kept", tmp_path / "report"
    options = ("--only-on-failure", *redact, "--keep", trace, "-o", f"json:{report}")
    done = tracediag("run", *options, "--", sys.executable, "-c", DOUBLE_CLOSE)
    assert (done.returncode, done.stdout) == (0, "again\n")
    assert done.stderr == "tracediag: the command exited with status 0: no report and no trace (--only-on-failure)\n"
    assert not list(tmp_path.iterdir())
    done = tracediag("run", *options, "--exit-with-command", "--", "sh", "-c", "cat nofile; exit 3")
    assert done.returncode == 3
    assert json.loads(report.read_text())["command"]["status"] == 3
    kept, told = trace.read_bytes(), report.read_bytes()
    assert kept.splitlines()[-1].endswith(b"+++ exited with 3 +++")
    assert tracediag("run", *options, "--", "true").returncode == 0
    assert (trace.read_bytes(), report.read_bytes()) == (kept, told)  # of the failure before


def test_only_on_failure_is_about_a_command():
    done = tracediag("run", "--only-on-failure", "-p", str(os.getpid()))
    assert done.returncode == 2
    assert done.stderr == "tracediag: --only-on-failure needs a command: with -p there is none\n"


def test_a_trace_that_cannot_be_kept_costs_one_line_and_no_memory():
    limited = ("sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh", sys.executable, "-m", "tracediag")
    done = subprocess.run(
        [*limited, "run", "--keep", "/dev/full", "--", "true"], env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"tracediag: /dev/full: not a regular file")
    assert done.stderr.count(b"\n") == 1


def test_a_full_disk_is_told_once_and_stands_in_the_report(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=False, stderr=-3)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        many = ("dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=2000", "status=none")
        done = tracediag("run", "--keep", tmp_path / "t", "--format", "json", "--", *many)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["input"]["lines"] > 500
    lost = "No space left on device: the rest of the trace is not recorded"
    assert json.loads(done.stdout)["input"]["damage"] == lost
    first, last = done.stderr.splitlines()
    assert first == f"tracediag: {tmp_path}/t: {lost}"
    assert last.endswith("the command exited with status 0")


def test_demo_lists_its_faults():
    done = tracediag("demo", "--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(FAULTS)
    assert all(FAULTS[line.split()[0]].summary in line for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_the_help_names_every_fault(command):
    text = tracediag(command, "--help").stdout
    assert [name for name in FAULTS if name not in text] == []


def test_demo_writes_reports_too(tmp_path):
    report = tmp_path / "report"
    done = tracediag("demo", "--format", "concise", "-o", f"json:{report}")
    assert done.returncode == 0, done.stderr
    first = json.loads(report.read_text())["findings"][0]
    assert f"[{first['code']}] {first['name']}: " in done.stdout.splitlines()[0]


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
    assert "strace is not installed; " in done.stderr.splitlines()[0]
    assert "analysing the recorded sample accept-once.strace" in done.stderr.splitlines()[1]
    assert "edge-triggered-accept-once" in first_finding(done.stdout)


def test_run_without_strace_says_so(tmp_path):
    done = tracediag("run", "--", sys.executable, "-V", env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.startswith("tracediag: strace is not installed")
