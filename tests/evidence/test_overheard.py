"""What a child that strace did not follow printed into the trace is shown with its end."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.overview import Fate

STARTED = 'execve("/bin/sh", ["sh", "-c", "tar cf vol/a.tar big"], 0x7ffe /* 3 vars */) = 0'
FORKED = "vfork()                                 = 22"
WAITED = "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 2}], 0, NULL) = 22"
DONE = ("exit_group(0)                           = ?", "+++ exited with 0 +++")
FULL = "tar: vol/a.tar: Cannot write: No space left on device"
LAST = "tar: Error is not recoverable: exiting now"


def child_of(*lines: str) -> Fate:
    ending = analyze([f"{line}\n" for line in (STARTED, *lines, *DONE)]).ending
    return next(fate for fate in ending if fate.pid == 22)


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ((f"vfork({FULL}", LAST, ")                                 = 22", WAITED), 2),
        ((FORKED, f"wait4(-1, {FULL}", LAST, WAITED.removeprefix("wait4(-1, ")), 3),
    ],
)
def test_the_words_stand_in_a_call_of_the_parent(lines: tuple[str, ...], line: int) -> None:
    words = child_of(*lines).words
    assert words is not None
    assert words.text == f"{FULL} {LAST}"
    assert words.line == line


def test_a_wait_without_words_holds_none() -> None:
    assert child_of(FORKED, WAITED).words is None
