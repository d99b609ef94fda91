"""Servers that work: what a filter, an attached strace or a part of a recording shows of them is no fault."""

from __future__ import annotations

from tracediag.api import analyze
from tracediag.results.grades import Severity

LOADED = 'execve("/usr/sbin/server", ["server"], 0x7ffd1 /* 2 vars */) = 0\n'


def _grades(name: str, trace: str) -> list[Severity]:
    lines = [f"{line.strip()}\n" for line in trace.strip().splitlines()]
    return [finding.severity for finding in analyze(lines).findings if finding.name == name]


FORKED = """
100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 101
101 epoll_ctl(9, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0
100 close(3) = 0
101 close(3) = 0
101 exit_group(0) = ?
101 +++ exited with 0 +++
100 exit_group(0) = ?
100 +++ exited with 0 +++
"""


def test_what_a_child_is_found_to_have_inherited_has_one_descriptor() -> None:
    assert _grades("stale-epoll-registration", FORKED) == []
