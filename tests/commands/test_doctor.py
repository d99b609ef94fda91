"""`doctor` where everything works, and where one thing is taken away for real."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from command_line import environment, needs_strace, tracediag

from tracediag.report.schema import schema

WITHOUT_PTRACE = """
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 101), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]  # seccomp(2): ptrace is EPERM
held = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(held)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "tracediag", "doctor", "--format", "json"])
"""


def abilities(done):
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema("doctor")).validate(document)
    return {each["name"]: each for each in document["abilities"]}


def run(command, **variables):
    return subprocess.run(command, env=environment() | variables, capture_output=True, text=True, check=False)


@needs_strace
def test_where_all_works_it_prints_what_the_page_shows():
    done = tracediag("doctor")
    assert done.returncode == 0
    page = Path(__file__).parents[2].joinpath("docs/ci.md").read_text(encoding="utf-8")
    shown = [line.strip() for line in page.splitlines() if line.startswith("    yes  ")]
    assert len(shown) == 7
    printed = [line.partition(": ")[0] for line in done.stdout.splitlines() if not line.startswith("     ")]
    assert [line[5:] for line in printed] == [line.partition(": ")[0][5:] for line in shown]
    assert "yes  record a command: tracediag run -- COMMAND\n" in done.stdout


def test_without_strace_it_says_how_to_get_it(tmp_path):
    done = run([sys.executable, "-m", "tracediag", "doctor"], PATH=str(tmp_path))
    assert done.returncode == 1
    first, remedy, *_ = done.stdout.splitlines()
    assert first == "no   strace: strace is not installed"
    assert remedy == "     remedy: on Debian and Ubuntu: apt-get install strace"


@needs_strace
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter has the number of ptrace on x86-64")
def test_a_seccomp_filter_is_named_with_the_option_of_the_container():
    done = run([sys.executable, "-c", WITHOUT_PTRACE])
    assert done.returncode == 1, done.stderr
    command = abilities(done)["command"]
    assert not command["works"]
    assert command["said"].startswith("a seccomp filter is in force, as in a container: ")
    assert command["said"].endswith("Operation not permitted")
    assert "--cap-add=SYS_PTRACE" in command["remedy"]


@needs_strace
def test_a_tracer_of_tracediag_itself_is_named():
    done = run(["strace", "-f", "-o", "/dev/null", sys.executable, "-m", "tracediag", "doctor", "--format", "json"])
    assert done.returncode == 1
    assert "traces tracediag itself, and a process has one tracer" in abilities(done)["command"]["said"]


@needs_strace
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, and setpriv")
def test_root_without_the_capability_cannot_trace_others():
    drop = ("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace")
    done = run([*drop, sys.executable, "-m", "tracediag", "doctor", "--format", "json"])
    assert done.returncode == 0
    others = abilities(done)["others"]
    assert (others["works"], others["remedy"]) == (False, "docker run --cap-add=SYS_PTRACE")


@needs_strace
def test_a_folder_without_room_is_named(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=False, stderr=-3)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = run([sys.executable, "-m", "tracediag", "doctor", "--format", "json"], TMPDIR=str(tmp_path))
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    folder = abilities(done)["folder"]
    assert done.returncode == 1
    assert (folder["said"], folder["remedy"]) == ("64 KiB free", "set TMPDIR to a folder with room, or use --keep")
