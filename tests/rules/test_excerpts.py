"""What is pasted into a question: a few lines, without pids and times, of old versions, with lines left out."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

ONE_TURN = """
epoll_wait(4, {{EPOLLIN, {u32=5, u64=5}}}, 64, -1) = 1
read(5, "", 4096) = 0
"""
HANGUP = "epoll_wait(3, {{EPOLLERR|EPOLLHUP, {u32=7, u64=7}}}, 128, 500) = 1\n"


@pytest.mark.parametrize(
    ("excerpt", "told"),
    [
        (ONE_TURN + "...", ["eof-ignored-spin possible"]),
        (ONE_TURN + "[... and so on ...]", ["eof-ignored-spin possible"]),
        (ONE_TURN + "...\nclose(5) = 0", []),
        (ONE_TURN + "epoll_ctl(4, EPOLL_CTL_DEL, 5, NULL) = 0", []),
        (HANGUP * 2, ["hangup-ignored-spin possible"]),
        (HANGUP + "close(12) = 0\n" + HANGUP + "close(12) = 0\n", []),
        ("select(4, [3], NULL, NULL, {0, 0}) = 0 (Timeout)\n" * 3, ["zero-timeout-polling possible"]),
        ('write(4</srv/app.log (deleted)>, "line", 4) = 4', ["deleted-file-kept-open likely"]),
    ],
)
def test_what_is_said_of_a_few_lines(excerpt: str, told: list[str]) -> None:
    lines = [f"{line}\n" for line in excerpt.strip().splitlines()]
    assert [f"{finding.name} {finding.confidence}" for finding in analyze(lines).findings] == told
