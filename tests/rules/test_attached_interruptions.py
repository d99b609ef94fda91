"""The attach of strace stops threads: it interrupts calls that no signal has, and strace guesses what they were."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracediag.api import analyze

SAMPLES = Path(__file__).parents[2] / "samples"
REPORT = 'write(2, "worker: semop: Interrupted system call\\n", 39) = 39\n'
END = ("exit_group(1) = ?\n", "+++ exited with 1 +++\n")
SEMOP = "semop(4, [{0, -1, 0}], 1) = -1 EINTR (Interrupted system call)\n"
EPOLL = "epoll_wait(4, [], 8, -1) = -1 EINTR (Interrupted system call)\n"
POLL = "poll([{fd=3, events=POLLIN}], 1, -1) = -1 EINTR (Interrupted system call)\n"
SIGNAL = "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=9, si_uid=0, si_status=0} ---\n"
EXEC = 'execve("/bin/worker", ["worker"], 0x7ffe /* 3 vars */) = 0\n'


def told(*lines: str) -> bool:
    return "interrupted-call-not-retried" in [finding.name for finding in analyze([*lines, REPORT, *END]).findings]


@pytest.mark.parametrize("call", [SEMOP, EPOLL])
def test_the_attach_may_have_interrupted_the_first_call(call: str) -> None:
    assert not told("strace: Process 12 attached\n", call)
    assert not told(call)


def test_a_signal_a_later_call_or_a_seen_start_is_the_programs_affair() -> None:
    assert told(SEMOP, SIGNAL)
    assert told("getpid() = 12\n", SEMOP)
    assert told(EXEC, SEMOP)
    assert told(POLL)  # after a stop the kernel resumes it


GUESSED = [
    path for path in sorted(SAMPLES.glob("*/*strace")) if "resuming interrupted" in path.read_text("utf-8", "replace")
]


@pytest.mark.parametrize("path", GUESSED[:12], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_is_built_on_the_call_that_strace_guesses(path: Path) -> None:
    lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
    other = [re.sub(r"(resuming interrupted) [a-z_0-9]+", r"\1 futex", line) for line in lines]
    assert [one.fingerprint for one in analyze(lines).findings] == [one.fingerprint for one in analyze(other).findings]


def test_there_are_samples_with_a_guess() -> None:
    assert GUESSED
