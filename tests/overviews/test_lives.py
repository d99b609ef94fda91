"""Shapes of lives: loops fold, bounds hold, the one connection that ends otherwise stands among the rare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracediag.__main__ import main
from tracediag.overviews.lives.folder import fold_lives
from tracediag.overviews.lives.folding import Life
from tracediag.results.lives import LifeGroup

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "samples" / "epollserver" / "none-ab.strace"


def _folded(*steps: str) -> list[str]:
    life = Life("fd 3", 1)
    for line, step in enumerate(steps, start=2):
        life.add(step, line)
    return life.steps


@pytest.mark.parametrize("times", [1, 2, 7, 500])
def test_a_loop_stands_once_however_often_it_ran(times: int) -> None:
    assert _folded("accept", *["read", "write"] * times, "close") == ["accept", "read", "write", "close"]
    assert _folded("open", *["read"] * times, "close") == ["open", "read", "close"]
    assert _folded(*["read", "sync", "write"] * times, "write EIO") == ["read", "sync", "write", "write EIO"]


def test_a_life_of_many_steps_keeps_its_first_and_last_ones_in_bounded_memory() -> None:
    found = _folded(*(f"step {number}" for number in range(10_000)), "write EPIPE", "close")
    assert len(found) <= 24
    assert found[:3] == ["step 0", "step 1", "step 2"]
    assert "..." in found
    assert found[-3:] == ["step 9999", "write EPIPE", "close"]


def _served(number: int, *calls: str) -> list[str]:
    address = f'{{sa_family=AF_INET, sin_port=htons({4000 + number}), sin_addr=inet_addr("127.0.0.1")}}'
    return [
        f"7 accept4(3, {address}, [16], SOCK_CLOEXEC) = 5\n",
        *(f"7 {call}\n" for call in calls),
        "7 close(5) = 0\n",
    ]


READ, WRITE = 'recvfrom(5, "x", 10, 0, NULL, NULL) = 1', 'sendto(5, "y", 1, 0, NULL, 0) = 1'
BROKEN = 'sendto(5, "y", 1, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)'


def _connections(lines: list[str]) -> LifeGroup:
    (group,) = fold_lives(lines, ("connections",)).groups
    return group


def test_the_one_connection_that_meets_an_error_stands_before_the_merely_rare() -> None:
    lines: list[str] = []
    for number in range(40):
        if number == 9:
            lines += _served(number)
        if number == 29:
            lines += _served(number, READ, BROKEN)
        lines += _served(number, *[READ, WRITE] * (1 + number % 3))
    group = _connections(lines)
    assert (group.kind, group.count, group.common.count) == ("connections accepted", 42, 40)
    assert group.common.steps == ("accept", "read", "write", "close")
    assert [shape.steps for shape in group.odd] == [("accept", "read", "write EPIPE", "close"), ("accept", "close")]
    odd = group.odd[0]
    assert lines[odd.first_line].startswith("7 recvfrom")
    assert BROKEN in lines[odd.first_line + 1]
    assert (odd.count, odd.differs, odd.example) == (1, 2, "fd 5 = TCP <- 127.0.0.1:4029")
    assert not group.others


def test_few_lives_have_no_custom_that_others_could_break() -> None:
    lines = [line for number in range(3) for line in _served(number, READ, WRITE)] + _served(9, READ, BROKEN)
    group = _connections(lines)
    assert (group.count, group.odd) == (4, ())
    assert [shape.count for shape in group.others] == [1]


def test_what_the_trace_leaves_open_and_how_children_end() -> None:
    lines = [
        "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 8\n",
        '8 execve("/usr/bin/cc1", ["cc1"], 0x1) = 0\n',
        "8 exit_group(1) = ?\n",
        "8 +++ exited with 1 +++\n",
        "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 9\n",
        "7 wait4(9, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 9\n",
        '7 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3\n',
        '7 openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT, 0666) = 4\n',
        "7 close(4) = 0\n",
    ]
    groups = {
        group.kind: {shape.steps for shape in (group.common, *group.others)} for group in fold_lives(lines).groups
    }
    assert groups["children"] == {("fork", "exec cc1", "exit 1"), ("fork", "killed by SIGKILL")}
    assert groups["files"] == {("open", "still open"), ("create", "close")}


def test_the_command_prints_the_common_shape_and_its_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lives", "-q", "--of", "connections", str(SERVER)]) == 0
    assert capsys.readouterr().out == (
        "connections accepted: 8, all of them:\n  accept, read, write, end of data, close   first at line 778\n"
    )
    assert main(["lives", "-q", "--format", "json", str(SERVER)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "tracediag-lives/1"
    assert [group["kind"] for group in found["groups"]] == ["connections accepted", "files"]


def test_an_error_that_so_error_reports_is_a_step() -> None:
    (group,) = fold_lives(str(ROOT / "samples" / "epollserver" / "accept-once.strace"), ("connections",)).groups
    assert [(shape.steps, shape.count) for shape in group.others] == [(("accept", "error ECONNRESET", "close"), 2)]
