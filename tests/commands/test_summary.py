"""`tracediag summary` and `tracediag tree` as commands: exit codes, streams, several traces."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest
from command_line import environment, tracediag

COMMANDS = ("summary", "tree", "files", "lives", "peers")


@pytest.mark.parametrize("command", COMMANDS)
def test_0_even_where_analyze_finds_faults(command, sample, quiet):
    for trace in (sample, quiet):
        done = tracediag(command, trace)
        assert done.returncode == 0
        assert done.stdout
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("summary",),
        ("summary", "x", "--by", "size"),
        ("summary", "x", "--sort", "size"),
        ("summary", "x", "--limit", "-1"),
        ("summary", "x", "--limit", "many"),
        ("tree",),
        ("tree", "x", "--format", "xml"),
    ],
)
def test_wrong_usage_is_2(arguments):
    done = tracediag(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(range(256)) * 64, id="binary"),
        pytest.param(b"#include <stdio.h>\n\nint main(void)\n{\n\treturn 0;\n}\n", id="c-source"),
        pytest.param(gzip.compress(b"close(3) = 0\n" * 999)[:12], id="cut-gzip"),
    ],
)
def test_unreadable_is_3(command, content, tmp_path):
    path = tmp_path / "input"
    path.write_bytes(content)
    done = tracediag(command, path)
    assert done.returncode == 3
    assert not done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unreadable_trace_does_not_prevent_the_others(command, tmp_path, quiet):
    done = tracediag(command, "--format", "json", tmp_path / "missing", quiet)
    assert done.returncode == 3
    assert json.loads(done.stdout)["schema"] == f"tracediag-{command}/1"


def test_a_sum_or_one_table_each(quiet, sample):
    done = tracediag("summary", "--format", "json", quiet, sample)
    (document,) = (json.loads(line) for line in done.stdout.splitlines())
    assert [source["path"] for source in document["sources"]] == [str(quiet), str(sample)]
    done = tracediag("summary", "--format", "json", "--each", quiet, sample)
    assert len(done.stdout.splitlines()) == 2
    done = tracediag("summary", "--each", quiet, sample)
    assert str(quiet) in done.stdout
    assert str(sample) in done.stdout


def test_limits(sample):
    def rows(*options):
        return len(json.loads(tracediag("summary", sample, "--format", "json", *options).stdout)["rows"])

    assert rows("--limit", "2") == 2
    assert rows() == rows("--limit", "0") > 20
    assert "more rows: --limit 0" in tracediag("summary", sample, "--by", "file").stdout
    assert "more rows" not in tracediag("summary", sample, "--by", "file", "--limit", "0").stdout


def test_an_order_that_needs_times_is_refused_without_them(quiet):
    done = tracediag("summary", quiet, "--sort", "p99")
    assert done.returncode == 0
    assert "there is no p99 without strace -T" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_input_and_a_reader_that_leaves(command, sample):
    assert tracediag(command, "-", input=sample.read_text()).stdout == tracediag(command, sample).stdout
    script = f"{sys.executable} -m tracediag {command} {sample} | head -c 10"
    done = subprocess.run(
        ["sh", "-c", script], env=environment(), capture_output=True, text=True, timeout=120, check=True
    )
    assert len(done.stdout) == 10
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("arguments", [("summary", "--by", "file"), ("summary",), ("tree",), ("tree", "--threads")])
def test_hostile_text(tmp_path, arguments, encoding):
    path = tmp_path / "[red]\x1b.strace"
    path.write_bytes(
        b'1 execve("/x\x1b[2J", ["[pid 7]\x1b]0;owned\x07", "\xff\xe2\x80\xae"], 0x1 /* 1 var */) = 0\n'
        b'1 open("/y\x1b[2J\xff", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
    )
    for form in ("full", "json"):
        done = tracediag(*arguments, "--format", form, path, env={"PYTHONIOENCODING": encoding}, text=False)
        assert done.returncode == 0, done.stderr
        assert not set(b"\x1b\x07\xff").intersection(done.stdout + done.stderr)
        assert b"\xe2\x80\xae" not in done.stdout


def test_the_state_at_a_line(sample, tmp_path):
    done = tracediag("state", f"{sample}:770")
    assert done.returncode == 0
    assert done.stdout.startswith("after line 770 ")
    assert tracediag("state", f"{sample}:99,999,999").stderr == (
        f"tracediag: {sample} has 870 lines: there is no line 99,999,999\n"
    )
    assert tracediag("state", f"{sample}:0").returncode == 2
    assert tracediag("state", f"{sample}:770", "--pid", "1").stderr == (
        f"tracediag: {sample}: no process 1 was alive after line 770\n"
    )
    odd = tmp_path / "trace:7"
    odd.write_bytes(sample.read_bytes())
    assert tracediag("state", odd).stdout == tracediag("state", sample).stdout


def test_a_call_is_explained_and_a_rule_first(sample):
    done = tracediag("explain", f"{sample}:797")
    assert done.returncode == 0
    assert "  does     pid 13569 (python3) fails to send 997 bytes on fd 9" in done.stdout
    assert tracediag("explain", "TD101").stdout.startswith("# ")
    for wrong, message in (
        (f"{sample}:870", "is no call but the end of a process or thread"),
        (f"{sample}:9999", "has 870 lines: there is no line 9,999"),
        (str(sample), "is a trace: name one of its lines"),
        ("TD999", "no rule 'TD999'"),
    ):
        done = tracediag("explain", wrong)
        assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True)
        assert done.stderr.count("\n") == 1


def test_an_object_is_followed_and_captured(sample, tmp_path):
    capture = tmp_path / "x.pcap"
    done = tracediag("follow", sample, "fd 9@784", "--bytes", "--pcap", capture)
    assert done.returncode == 0
    assert "GET /stream HTTP/1.1" in done.stdout
    assert done.stderr.endswith(
        "111 bytes are not in the trace, because strace cut the strings; record with -s 65536\n"
    )
    assert capture.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"
    own = tmp_path / "own"
    own.write_bytes(sample.read_bytes())
    for target in (own, tmp_path / "missing" / "x"):
        done = tracediag("follow", own, "fd 9@784", "--pcap", target)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert own.read_bytes() == sample.read_bytes()
    done = tracediag("follow", tmp_path / "none", "fd 9@784", "--pcap", tmp_path / "y.pcap")
    assert (done.returncode, done.stderr) == (3, f"tracediag: {tmp_path / 'none'}: no such file or directory\n")
    for wrong in ("fd 9", "fd 99@784", "fd 9@9999", "pid 1", "path /x", "peer 1.2.3.4", "nothing"):
        done = tracediag("follow", sample, wrong, "--pcap", capture)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert len(capture.read_bytes()) > 24  # a failed run leaves the old capture
    assert tracediag("follow", "-", "pid 13569", input=sample.read_text()).stdout.startswith("LINE ")


def test_the_cause_of_a_message(sample, quiet):
    done = tracediag("why", "broken pipe", sample, quiet)
    assert done.returncode == 0
    assert "because  sendto fails with EPIPE (broken pipe); the message names its error" in done.stdout
    for arguments in (("not there", sample), ("not there", sample, quiet), (" ", sample)):
        done = tracediag("why", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert tracediag("why", "broken pipe", input=sample.read_text()).returncode == 0
