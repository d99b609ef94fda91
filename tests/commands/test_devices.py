"""Standard streams that are closed, full or without a reader: no traceback, and exit code 1 never without findings."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
from command_line import environment

COMMAND = shlex.join([sys.executable, "-W", "error", "-m", "tracediag"])
COMMANDS = {
    "findings": ("analyze {sample}", 1),
    "none": ("analyze {quiet}", 0),
    "summary": ("summary {sample}", 0),
    "tree": ("tree {sample}", 0),
    "state": ("state {sample}", 0),
    "follow": ("follow {sample} 'pid 13569'", 0),
    "why": ("why 'Broken pipe' {sample}", 0),
    "explain a call": ("explain {sample}:797", 0),
    "rules": ("rules", 0),
    "explain": ("explain TD101", 0),
    "help": ("--help", 0),
    "usage": ("analyze --no-such-option", 2),
}
STREAMS = {"open": "", "closed": "{}>&-", "full": "{}>/dev/full", "left": "{}>&8"}
AT_ONCE = [
    ("null", "closed", "open"),
    ("null", "full", "open"),
    ("null", "left", "open"),
    ("null", "open", "closed"),
    ("null", "open", "full"),
    ("null", "open", "left"),
    ("closed", "full", "full"),
    ("closed", "closed", "closed"),
]
"""Standard input, output and error."""
CASES = [
    (command, *streams)
    for place, command in enumerate(COMMANDS)
    for number, streams in enumerate(AT_ONCE)
    if command in ("findings", "help") or number % 3 == place % 3
]
"""All ways for a report and for a text of argparse; each other command meets a third of them."""

needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110


@pytest.fixture
def reader_left():
    """The writing end of a pipe without a reader, as descriptor 8 of a shell."""
    reader, writer = os.pipe()
    os.close(reader)
    os.set_inheritable(writer, True)
    yield writer
    os.close(writer)


@needs_full
@pytest.mark.parametrize(("command", "stdin", "stdout", "stderr"), CASES)
def test_exit_codes_hold(command, stdin, stdout, stderr, sample, quiet, reader_left):
    arguments, code = COMMANDS[command]
    arguments = arguments.format(sample=shlex.quote(str(sample)), quiet=quiet)
    if stdout == "full" and code < 2:
        code = 2  # some output is lost
    streams = f"{STREAMS[stdout].format(1)} {STREAMS[stderr].format(2)} {'<&-' if stdin == 'closed' else ''} 8>&-"
    done = subprocess.run(
        ["bash", "-c", f"exec 8>&{reader_left}; {COMMAND} {arguments} {streams}"],
        stdin=subprocess.DEVNULL,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        pass_fds=[reader_left],
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if stdout == "full" and stderr == "open" and command != "usage":
        assert "tracediag: standard output: No space left on device\n" in done.stderr
    if stdout == "open" and code < 2:
        assert done.stdout


def test_the_number_of_a_closed_stream_is_not_reused(quiet, tmp_path):
    """The report must not become standard output or error by reusing the number of a closed stream."""
    report = tmp_path / "report.json"
    script = f"{COMMAND} analyze {quiet} -o json:{report} <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", script], env=environment(), check=False, timeout=60).returncode == 0
    assert report.read_text().count("\n") == 1
    assert report.read_text().startswith("{")
