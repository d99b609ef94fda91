"""`run -p` on living processes: what it records, what /proc adds, and that it leaves them running."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import hung
import pytest
from command_line import environment, needs_strace, tracediag

from tracediag.evidence.blocking import chain_of
from tracediag.recording import RecordingError
from tracediag.recording.permission import check_permission
from tracediag.snapshot import Futex, Moment, ProcessState, Snapshot, ThreadState, load, store

pytestmark = needs_strace


def attached(*pids, options=(), seconds="0.5s"):
    """Return the JSON report on processes to which strace is attached for a moment."""
    words = [word for pid in pids for word in ("-p", pid)]
    done = tracediag("run", *words, "--for", seconds, "--format", "json", *options)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def reasons(report):
    return {each["pid"]: each["reason"] for each in report["waiting"]}


def finding(report, name):
    return next(each for each in report["findings"] if each["name"] == name)


def tids(pid):
    return sorted(int(path.name) for path in Path(f"/proc/{pid}/task").iterdir())


def status(pid):
    path = Path(f"/proc/{pid}/status")
    return path.read_text() if path.exists() else ""


def is_traced(pid):
    return "TracerPid:\t0\n" not in status(pid)


def wait_until(true):
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_both_owners_of_a_deadlock_are_named():
    with hung.hanging(hung.DEADLOCK) as process:
        report = attached(process.pid)
        assert process.poll() is None
        assert not is_traced(process.pid)
        _, one, other = tids(process.pid)
        found = finding(report, "lock-never-released")
        assert found["severity"] == "error"
        assert found["confidence"] == "certain"
        notes = " ".join(step["note"] for step in found["steps"])
        assert f"thread {one} waits for the mutex at " in notes
        assert f", which thread {one} holds" in notes
        assert f", which thread {other} holds" in notes
        assert "a deadlock" in reasons(report)[one]


@pytest.mark.parametrize("script", [hung.OWNED_AND_BUSY, hung.RECURSIVE_AND_ROBUST, hung.INHERITING])
def test_the_owner_of_a_lock_is_named_with_where_it_stands(script):
    with hung.hanging(script) as process:
        report = attached(process.pid)
        owner, waiter = tids(process.pid)
        assert f"thread {owner} holds; thread {owner} " in reasons(report)[waiter]
        assert [each["name"] for each in report["findings"]] == []


@pytest.mark.parametrize(
    ("script", "said"),
    [(hung.TAKEN_TWICE, "which it holds itself"), (hung.OWNER_ENDED, "held when it ended")],
)
def test_a_lock_that_no_thread_can_release_is_an_error(script, said):
    with hung.hanging(script) as process:
        found = finding(attached(process.pid), "lock-never-released")
        assert said in found["steps"][0]["note"]
        assert found["confidence"] == "certain"


def test_a_join_names_the_thread_that_has_to_end():
    with hung.hanging(hung.JOINING) as process:
        first, other = tids(process.pid)
        said = reasons(attached(process.pid))[first]
        assert said == f"it waits for thread {other} to end (pthread_join); thread {other} stands in clock_nanosleep"


def test_the_process_with_the_file_lock_is_named(tmp_path):
    with hung.hanging(hung.FLOCK, tmp_path / "f", "hold") as owner, hung.hanging(hung.FLOCK, tmp_path / "f", "") as one:
        report = attached(one.pid)
        found = finding(report, "file-lock-wait")
        assert f"waits for the flock lock on {tmp_path}/f, which python" in found["title"]
        assert found["title"].endswith(f"(pid {owner.pid}) holds")
        assert found["fix"].startswith("find out why python")
        said = reasons(report)[one.pid]
        assert f"the flock lock on {tmp_path}/f, which python" in said
        assert f"(pid {owner.pid}) holds" in said
        assert f"(pid {owner.pid}) waits for data in pipe:[" in said
        assert f"(pid {os.getpid()}) has open" in said


def test_where_no_owner_is_named_the_command_for_the_stacks_has_the_pid():
    with hung.hanging(hung.UNOWNED) as process:
        found = finding(attached(process.pid), "lock-never-released")
        assert found["fix"].startswith(f"gdb -p {process.pid} -batch ")


def test_the_processes_are_told_and_the_time():
    with hung.hanging(hung.UNOWNED) as one, hung.hanging(hung.UNOWNED) as other:
        done = tracediag("run", "-p", one.pid, "-p", other.pid, "--for", "500ms", "--format", "concise")
        first, second = sorted((one.pid, other.pid))
        assert f"tracing processes {first}, {second} for 0.5 s, or until Ctrl-C" in done.stderr


def test_the_snapshot_replaces_what_lies_there_and_is_for_its_owner_only(tmp_path):
    victim, linked = tmp_path / "victim", tmp_path / "a.strace.proc.json"
    victim.write_text("mine\n")
    linked.symlink_to(victim)
    (tmp_path / "b.strace.proc.json").touch(0o644)
    known = Snapshot(after=Moment(time=1.0))
    for name in ("a.strace", "b.strace"):
        place = store(known, str(tmp_path / name))
        assert stat.S_IMODE(place.lstat().st_mode) == 0o600
        assert stat.S_ISREG(place.lstat().st_mode)
        assert load(place) == known
    assert victim.read_text() == "mine\n"
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(FileNotFoundError) as missing:
        store(known, str(tmp_path / "none" / "a.strace"))
    assert missing.value.filename == str(tmp_path / "none" / "a.strace.proc.json")


def test_a_process_that_only_computes_is_named_in_the_advice():
    busy = "print('ready', flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        done = tracediag("run", "-p", process.pid, "--for", "500ms")
        process.kill()
    assert done.returncode == 2
    assert f"it computes; perf top -p {process.pid}, or gdb -p {process.pid}, shows where" in done.stderr


def test_the_process_at_the_other_end_of_a_pipe_is_named():
    with hung.hanging(hung.PIPE) as process:
        said = reasons(attached(process.pid))[process.pid]
        assert "whose write end sleep (pid " in said
        assert "stands in clock_nanosleep" in said


def test_a_late_start_knows_the_epoll_set_and_its_flags(tmp_path):
    """The listener was registered long before strace came, and its flags decide."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tracediag", "serve", "--fault", "accept-once"],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = server.stdout.readline()
        port = int(line.rpartition(":")[2].split()[0].rstrip("/"))
        trace = tmp_path / "late.strace"
        command = [sys.executable, "-m", "tracediag", "run", "-p", str(server.pid), "--for", "3s", "--keep", str(trace)]
        tracing = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_traced(server.pid))
        burst = f"import socket\nk=[socket.create_connection(('127.0.0.1', {port})) for _ in range(5)]"
        for _ in range(3):
            subprocess.run([sys.executable, "-c", burst], check=True)
        tracing.wait(timeout=60)
    finally:
        server.kill()
        server.communicate()
    report = json.loads(tracediag("analyze", "--format", "json", trace).stdout)
    assert "edge-triggered-accept-once" in {each["name"] for each in report["findings"]}
    Path(f"{trace}.proc.json").unlink()
    report = json.loads(tracediag("analyze", "--format", "json", trace).stdout)
    assert "edge-triggered-accept-once" not in {each["name"] for each in report["findings"]}


def test_ctrl_c_ends_the_tracing_and_not_the_process(tmp_path):
    trace = tmp_path / "trace"
    with hung.hanging(hung.OWNED_AND_BUSY) as process:
        command = [sys.executable, "-m", "tracediag", "run", "--keep", str(trace), "-p", str(process.pid)]
        tracing = subprocess.Popen(
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        # strace attaches to one thread after the other: the one that waits for the lock may come last.
        wait_until(lambda: trace.exists() and "futex(" in trace.read_text())
        os.killpg(tracing.pid, signal.SIGINT)
        out, err = tracing.communicate(timeout=60)
        assert tracing.returncode == 0, err
        assert "which thread " in out
        assert process.poll() is None
        assert not is_traced(process.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_survives_the_end_of_tracediag(number):
    with hung.hanging(hung.OWNED_AND_BUSY) as process:
        command = [sys.executable, "-m", "tracediag", "run", "-p", str(process.pid)]
        tracing = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: is_traced(process.pid))
        tracing.send_signal(number)
        tracing.communicate(timeout=60)
        wait_until(lambda: not is_traced(process.pid))
        assert process.poll() is None


def test_several_processes_are_found_by_the_name_of_their_script(tmp_path):
    script = tmp_path / "hangs-here.py"
    script.write_text(hung.OWNED_AND_BUSY)
    processes = [subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in processes:
            process.stdout.readline()
        report = attached("hangs-here.py")
        assert {process.pid for process in processes} <= set(reasons(report))
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_the_snapshot_stands_beside_a_kept_trace_and_is_used(tmp_path):
    trace = tmp_path / "kept.strace"
    with hung.hanging(hung.DEADLOCK) as process:
        attached(process.pid, options=("--keep", trace))
    snapshot = Path(f"{trace}.proc.json")
    assert snapshot.stat().st_mode & 0o077 == 0
    assert json.loads(snapshot.read_text())["schema"] == "tracediag-proc/1"
    report = json.loads(tracediag("analyze", "--format", "json", trace).stdout)
    assert "which thread " in finding(report, "lock-never-released")["steps"][0]["note"]
    snapshot.unlink()
    report = json.loads(tracediag("analyze", "--format", "json", trace).stdout)
    assert not any("which thread" in step["note"] for each in report["findings"] for step in each["steps"])


def test_a_snapshot_that_is_none_is_told(tmp_path):
    trace = tmp_path / "t.strace"
    trace.write_text("close(3) = 0\n")
    Path(f"{trace}.proc.json").write_text("[]")
    done = tracediag("analyze", trace)
    assert done.returncode == 3
    assert "t.strace.proc.json: not a snapshot of /proc: " in done.stderr


def test_the_time_of_a_command_ends_it_after_a_look_at_it():
    done = tracediag("run", "--for", "3s", "--format", "json", "--exit-zero", "--", sys.executable, "-c", hung.DEADLOCK)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.removeprefix("ready\n"))
    assert report["command"]["signal"] == "SIGTERM"
    notes = [step["note"] for step in finding(report, "lock-never-released")["steps"]]
    assert sum(", which thread " in note for note in notes) == 2
    assert report["ending"][0]["sender"] == "tracediag (--for)"
    assert "killed-from-outside" not in {each["name"] for each in report["findings"]}


REFUSED = [
    (("-p", "4194999"), "no process 4194999: it has ended"),
    (("-p", "no-such-name"), "no process is named 'no-such-name': ps -e lists them"),
    (("-p", "9" * 5000), "no process is named '999"),
    (("-p", "\N{ARABIC-INDIC DIGIT TWO}"), "no process is named '\N{ARABIC-INDIC DIGIT TWO}'"),
    (("-p", "2", "--", "true"), "-p attaches to a running process: it takes no command"),
    (("-p", "2"), "is a thread of the kernel"),
    *[
        (("-p", "2", f"--for={time}"), f"argument --for: '{time}' is not a time: write 500ms, 5s, 2m or 1h")
        for time in ("abc", "0", "-1", "1e400", "nan", "9999999h", "1sm", "")
    ],
]


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_what_cannot_be_traced_costs_one_line(options, said):
    if options == ("-p", "2") and "Kthread:\t1" not in status(2):
        pytest.skip("no thread of the kernel is visible here")
    done = tracediag("run", *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_process_with_a_tracer_is_told_with_the_tracer():
    with hung.hanging(hung.OWNED_AND_BUSY) as process:
        strace = subprocess.Popen(["strace", "-qo", "/dev/null", "-p", str(process.pid)])
        try:
            wait_until(lambda: is_traced(process.pid))
            done = tracediag("run", "-p", process.pid)
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait()
        assert done.returncode == 2
        assert f"has a tracer already, strace (pid {strace.pid}): end that first, kill -INT {strace.pid}" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_process_of_another_user_is_told_with_what_to_do():
    reading, writing = os.pipe()
    with hung.hanging(hung.OWNED_AND_BUSY) as process:
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                check_permission(process.pid)
            except RecordingError as error:
                os.write(writing, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as said:
        assert said.read().endswith("must not be traced: it belongs to user 0: run tracediag with sudo")


def test_the_snapshot_of_an_earlier_trace_goes(tmp_path):
    trace = tmp_path / "t.strace"
    Path(f"{trace}.proc.json").write_text("{}")
    assert tracediag("run", "--keep", trace, "--", "true").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["t.strace"]


def test_many_threads_are_no_square(calls_made):
    """Each thread waits for the next one: to find an owner takes no search through all threads."""

    def cost(count):
        threads = tuple(ThreadState(tid, call="futex") for tid in range(1, count + 1))
        futexes = tuple(Futex(tid, 4096, 2, "mutex", tid % count + 1) for tid in range(1, count + 1))
        moment = Moment(1.0, (ProcessState(1, threads=threads),), futexes=futexes)
        return calls_made(lambda: [chain_of(moment, tid) for tid in range(1, count + 1)])

    assert cost(800) < 10 * cost(100)
