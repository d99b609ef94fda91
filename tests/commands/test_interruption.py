"""Signals to `run` and `demo`: whenever they come, no process and no temporary folder is left."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import environment, needs_strace

pytestmark = needs_strace

SIGNALS = pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT])


@pytest.fixture
def place(tmp_path):
    """The only place for temporary files; its path marks the processes of the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def start(place, *arguments, **changes):
    command = [sys.executable, "-m", "tracediag", *map(str, arguments)]
    variables = environment(TMPDIR=str(place), **changes)
    return subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def sees(place):
    """The processes that have the place in their environment."""
    mark = f"TMPDIR={place}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def wait_until(true):
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def traced(place, text):
    return any(text in path.read_text(errors="replace") for path in place.glob("*/trace.strace"))


def nothing_left(place):
    return not sees(place) and not list(place.iterdir())


def strace_script(folder, text):
    folder.mkdir()
    path = folder / "strace"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@SIGNALS
def test_a_signal_ends_the_command_and_gives_the_report(place, number):
    process = start(place, "run", "--exit-with-command", "--", "sh", "-c", "setsid sleep 60 & exec sleep 60")
    wait_until(lambda: traced(place, "clock_nanosleep") and len(sees(place)) > 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "killed-from-outside" in out or "no findings" in out
    assert err.endswith("; the command was killed by SIGTERM\n")
    assert nothing_left(place)


@SIGNALS
def test_a_second_signal_ends_a_command_that_is_deaf(place, number):
    process = start(place, "run", "--exit-with-command", "--", "sh", "-c", "trap '' TERM HUP QUIT; sleep 60; sleep 60")
    wait_until(lambda: traced(place, "clock_nanosleep"))
    process.send_signal(number)
    wait_until(lambda: traced(place, "--- SIGTERM "))  # the first is passed on so; two at a time could be taken as one
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert nothing_left(place)


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_signal_while_strace_is_looked_for(tmp_path, place, command):
    path = strace_script(tmp_path / "bin", f"touch {place}/asked; sleep 60")
    process = start(place, command, *(("--", "sleep", "60") if command == "run" else ()), PATH=path)
    wait_until((place / "asked").exists)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, err
    (place / "asked").unlink()
    assert nothing_left(place)


@pytest.mark.parametrize("delay", [0.2, 0.3, 0.4, 0.6])
@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_signal_at_any_time_of_the_start(place, command, delay):
    process = start(place, command, *(("--", "sleep", "60") if command == "run" else ("ignore-eof",)))
    time.sleep(delay)
    process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    wait_until(lambda: nothing_left(place))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_trace_is_analysed(tmp_path, place, number):
    lines = "".join(f'1 openat(AT_FDCWD, "/tmp/{n}", O_RDONLY) = 3\n1 close(3) = 0\n' for n in range(400_000))
    (tmp_path / "long").write_text(lines)
    find_file = 'while [ "$1" != -o ]; do shift; done'
    path = strace_script(
        tmp_path / "bin", f'[ "$1" = -V ] && exit; {find_file}; cat {tmp_path}/long > "$2"; touch {place}/ended'
    )
    process = start(place, "run", "--", "sleep", "60", PATH=path)
    wait_until((place / "ended").exists)
    while process.poll() is None:  # the first may come before tracediag has noticed the end
        process.send_signal(number)
        time.sleep(0.3)
    out, err = process.communicate(timeout=60)
    assert process.returncode in {128 + number, -number}, err
    assert not out
    (place / "ended").unlink()
    assert nothing_left(place)


def test_a_signal_that_is_ignored_stays_so(place):
    script = f"until [ -e {place}/go ]; do sleep 0.1; done"
    command = [sys.executable, "-m", "tracediag", "run", "--exit-zero", "--", "sh", "-c", script]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command],
        env=environment(TMPDIR=str(place)),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    wait_until(lambda: traced(place, "clock_nanosleep"))
    process.send_signal(signal.SIGHUP)
    (place / "go").touch()
    assert process.communicate(timeout=60)[1].endswith("the command exited with status 0\n")
