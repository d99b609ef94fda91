"""errno-overwritten: what is a failure, and what is only a question."""

from __future__ import annotations

import pytest

from tracediag import analyze

START = 'execve("/usr/bin/tail", ["tail", "-F", "f"], 0x7ffe /* 3 vars */) = 0\n'
AFTER = (
    "ioctl(1, TCGETS, 0x7ffe) = -1 ENOTTY (Inappropriate ioctl for device)\n"
    'write(2, "tail: Inappropriate ioctl for device\\n", 37) = 37\n'
    "exit_group(1) = ?\n"
    "+++ exited with 1 +++\n"
)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("read(4, 0x55f4, 18) = -1 EINVAL (Invalid argument)\n", False),  # inotify(7): the buffer is too small
        ("read(4, 0x55f4, 18) = -1 EIO (Input/output error)\n", True),
    ],
)
def test_a_read_that_asks_for_a_larger_buffer_is_no_failure(failure: str, told: bool) -> None:
    names = [finding.name for finding in analyze([START, failure, *AFTER.splitlines(keepends=True)]).findings]
    assert ("errno-overwritten" in names) is told
