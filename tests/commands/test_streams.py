"""Pipes that close, terminals, colours, and hostile text, through the real command."""

import os
import pty
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_line import environment, tracediag

COMMAND = shlex.join([sys.executable, "-m", "tracediag"])


@pytest.mark.parametrize("what", ["analyze {sample}", "analyze {sample} {sample} --format json", "rules", "--help"])
def test_head_ends_quietly(sample, what):
    script = f"{COMMAND} {what.format(sample=shlex.quote(str(sample)))} | head -c 10"
    done = subprocess.run(
        ["sh", "-c", script], env=environment(), capture_output=True, text=True, timeout=120, check=True
    )
    assert len(done.stdout) == 10
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_reader_that_left_changes_no_exit_code(sample, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    kept = tmp_path / "report.txt"
    done = tracediag("analyze", sample, "-o", f"concise:{kept}", stdout=writer)
    os.close(writer)
    assert done.returncode == 1
    assert "edge-triggered-accept-once" in kept.read_text()
    assert len(done.stderr.splitlines()) == 1


def test_no_standard_output_at_all(sample):
    script = f"{COMMAND} analyze {shlex.quote(str(sample))} >&-"
    done = subprocess.run(["sh", "-c", script], env=environment(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 1


def on_a_terminal(*arguments, stdin_too=False, **changes):
    """Run the command on a terminal of 80 columns; return what it prints."""
    ours, theirs = pty.openpty()
    with ThreadPoolExecutor(1) as threads:
        shown = threads.submit(read_all, ours)
        streams = {"stdout": theirs, "stderr": theirs} | ({"stdin": theirs} if stdin_too else {})
        tracediag(*arguments, env={"TERM": "xterm", "COLUMNS": "80"} | changes, **streams)
        os.close(theirs)
    return shown.result().decode().replace("\r\n", "\n")


def read_all(terminal):
    shown = b""
    while piece := read(terminal):
        shown += piece
    os.close(terminal)
    return shown


def read(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # EIO: the other side is closed
        return b""


RED = "\x1b[1;38;5;160m"


def test_colour_on_a_terminal(sample):
    assert RED in on_a_terminal("analyze", sample)
    assert "\x1b" not in on_a_terminal("analyze", sample, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal("analyze", sample, TERM="dumb")
    assert "\x1b" not in on_a_terminal("analyze", sample, "--color", "never")
    assert RED in on_a_terminal("analyze", sample, "--color", "always", NO_COLOR="1")


def test_colour_off_a_terminal(sample):
    assert "\x1b" not in tracediag("analyze", sample).stdout
    assert RED in tracediag("analyze", sample, env={"FORCE_COLOR": "1"}).stdout
    assert RED in tracediag("analyze", sample, "--color", "always").stdout
    assert "\x1b" not in tracediag("analyze", sample, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\x1b" not in tracediag("analyze", sample, "--color", "never", env={"FORCE_COLOR": "1"}).stdout


def test_a_file_is_never_coloured(sample, tmp_path):
    kept = tmp_path / "report.txt"
    tracediag("analyze", sample, "--color", "always", "-o", f"full:{kept}")
    assert kept.read_text() == tracediag("analyze", sample).stdout


def test_a_page_is_rendered_on_a_terminal_only():
    assert "\x1b[" in on_a_terminal("explain", "TD103")
    page = tracediag("explain", "TD103").stdout
    assert page.startswith("# ")
    assert "\x1b" not in page


HOSTILE = (
    b'write(1, "[pid 7] [/tmp/x] [bold]\x1b]0;owned\x07", 30) = 30\n'
    b"[pid     7] close(9) = 0\n"
    b"[pid     7] close(9) = -1 EBADF (Bad file descriptor)\n"
    b"\x1b[2J\xff\xfe [pid 7] [/tmp/x] no call at all \x9b\n"
    b'read(3, "' + b"A" * 1_000_000 + b'", 1000000) = 1000000\n'
    b"close(3) = -1 EBADF (Bad file descriptor)\n"
    b"+++ exited with 0 +++\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("name", ["full", "concise", "json"])
def test_a_hostile_trace_is_shown_safely(tmp_path, name, encoding):
    path = tmp_path / "[pid 7][red].strace"
    path.write_bytes(HOSTILE)
    done = tracediag("analyze", "--format", name, path, env={"PYTHONIOENCODING": encoding}, text=False)
    assert done.returncode in (0, 1), done.stderr
    for stream in (done.stdout, done.stderr):
        assert not set(b"\x1b\x07\x9b\xff").intersection(stream)
        assert b"Traceback" not in stream
    assert b"[pid 7][red].strace" in done.stdout + done.stderr


def test_a_path_that_is_not_utf8(tmp_path, quiet):
    path = os.fsencode(tmp_path) + b"/\xff\x1b.strace"
    os.link(quiet, path)
    for name in ("full", "concise", "json"):
        done = tracediag("analyze", os.fsdecode(path), "--format", name)
        assert done.returncode == 0
        assert "\\xff\\x1b.strace" in done.stderr


WIDTHS = ("0", "abc", "9" * 5000)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "arguments", [("analyze", "{}"), ("summary", "{}"), ("tree", "{}"), ("state", "{}"), ("rules",), ("--help",)]
)
def test_no_width_in_the_environment_silences_a_report(arguments, columns, sample):
    arguments = [part.format(sample) for part in arguments]
    shown = tracediag(*arguments, env={"COLUMNS": columns}).stdout
    assert shown == tracediag(*arguments).stdout
    assert shown


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_width_in_the_environment_silences_a_file_or_a_terminal(columns, sample, tmp_path):
    report = tmp_path / "report"
    tracediag("analyze", sample, "-o", f"full:{report}", env={"COLUMNS": columns})
    assert "edge-triggered-accept-once" in report.read_text()
    for arguments in (("analyze", sample), ("summary", sample), ("explain", "--no-pager", "TD103")):
        assert on_a_terminal(*arguments, COLUMNS=columns) == on_a_terminal(*arguments, COLUMNS="")


def test_a_page_goes_through_the_pager_on_a_terminal_only():
    marked = {"PAGER": "sed 's/^/> /'"}
    assert tracediag("explain", "TD103", env=marked).stdout.startswith("# ")
    shown = on_a_terminal("explain", "TD103", stdin_too=True, **marked)
    assert all(line.startswith("> ") for line in shown.splitlines())
    assert not on_a_terminal("explain", "TD103", "--no-pager", stdin_too=True, **marked).startswith("> ")
    for none in ("", "cat", "/nowhere/at/all", "sed '"):
        assert "Why it is a bug" in on_a_terminal("explain", "TD103", stdin_too=True, PAGER=none)
