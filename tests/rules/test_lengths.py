"""A paste of any length: a finding about a repetition does not come and go with the number of lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Confidence
from tracediag.rules import all_rules
from tracediag.rules.loop import LoopRule

CONFIDENCES = (None, Confidence.POSSIBLE, Confidence.LIKELY, Confidence.CERTAIN)
LENGTHS = (*range(3, 26), 39, 40, 49, 50, 51, 60, 99, 201, 300)

ACCEPTED = (
    'accept4(4, {sa_family=AF_INET, sin_port=htons(33012), sin_addr=inet_addr("10.0.0.8")}, [16], SOCK_NONBLOCK) = 7'
)
ADDED = "epoll_ctl(5, EPOLL_CTL_ADD, 7, {EPOLLIN, {u32=7, u64=7}}) = 0"
ANSWER = 'write(7, "HTTP/1.1 200 OK", 15) = 15'
REQUEST = 'read(7, "GET / HTTP/1.1", 4096) = 14'
"""They show that the recording would show writes and reads."""
READABLE = "epoll_wait(5, [{EPOLLIN, {u32=7, u64=7}}], 64, -1) = 1"
WRITABLE = "epoll_wait(5, [{EPOLLOUT, {u32=7, u64=7}}], 64, -1) = 1"
HANGUP = "epoll_wait(5, [{EPOLLIN|EPOLLHUP, {u32=7, u64=7}}], 64, -1) = 1"
AT_END = 'read(7, "", 4096) = 0'
NOT_READY = "read(7, 0x7ffe, 4096) = -1 EAGAIN (Resource temporarily unavailable)"
BAD = "recvfrom(9, NULL, 0, 0, NULL, NULL) = -1 EBADF (Bad file descriptor)"
FULL = "accept(4, NULL, NULL) = -1 EMFILE (Too many open files)"
LISTENS = "epoll_wait(5, [{EPOLLIN, {u32=4, u64=4}}], 64, -1) = 1"
POLLS = "poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)"
INTERRUPTED = "clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)"
PROFILING = "--- SIGPROF {si_signo=SIGPROF, si_code=SI_KERNEL} ---"
RETURNED = "rt_sigreturn({mask=[]}) = 56"
NO_DATA = "recvfrom(3, 0x7ffe, 512, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"
SENT = 'sendto(3, "state?", 6, 0, {sa_family=AF_INET, sin_port=htons(900), sin_addr=inet_addr("10.0.0.9")}, 16) = 6'
CLOSED = "close({}) = -1 EBADF (Bad file descriptor)"

SPINS: list[tuple[str, list[str], list[str]]] = [
    ("eof-ignored-spin", [ACCEPTED, ADDED], [READABLE, AT_END]),
    ("eof-ignored-spin", [], [READABLE, AT_END]),
    ("hangup-ignored-spin", [ACCEPTED, ADDED, REQUEST], [HANGUP]),
    ("hangup-ignored-spin", [], [HANGUP]),
    ("ready-not-served-spin", [ACCEPTED, ADDED, REQUEST], [READABLE]),
    ("ready-not-served-spin", [], [READABLE]),
    ("writable-interest-left-on", [ACCEPTED, ADDED, ANSWER], [WRITABLE]),
    ("writable-interest-left-on", [], [WRITABLE]),
    ("zero-timeout-polling", [], [POLLS]),
    ("eagain-spin", [ACCEPTED], [NOT_READY]),
    ("eagain-spin", [], [NOT_READY]),
    ("failing-call-spin", [], [BAD]),
    ("accept-emfile-spin", [], [LISTENS, FULL]),
    ("restart-storm", [], [INTERRUPTED, PROFILING, RETURNED]),
    ("datagram-resent-unanswered", [], [SENT, NO_DATA]),
    ("close-storm", [], [CLOSED]),
]
"""Name of the rule, the lines before the loop, the lines of one turn."""


def pasted(before: list[str], turn: list[str], length: int) -> Iterator[str]:
    """Yield the lines of a paste that ends inside the loop."""
    yield from before
    for number in range(length - len(before)):
        yield turn[number % len(turn)].format(70_000 + number) if turn == [CLOSED] else turn[number % len(turn)]


def sure(name: str, lines: Iterator[str]) -> Confidence | None:
    found = [
        finding.confidence for finding in analyze([f"{line}\n" for line in lines]).findings if finding.name == name
    ]
    return found[0] if found else None


@pytest.mark.parametrize(("name", "before", "turn"), SPINS)
def test_confidence_never_falls_with_the_length(name: str, before: list[str], turn: list[str]) -> None:
    said = [sure(name, pasted(before, turn, length)) for length in LENGTHS]
    ranks = [CONFIDENCES.index(confidence) for confidence in said]
    assert ranks == sorted(ranks)
    # Three turns are a paste's own subject, in whatever number of lines.
    assert said[LENGTHS.index(len(before) + 4 * len(turn))] is not None


def test_every_rule_about_a_repetition_is_tried() -> None:
    loops = {rule.name for rule in all_rules() if issubclass(rule, LoopRule)}
    assert loops == {name for name, _, _ in SPINS}


@pytest.mark.parametrize("left_out", ["...", "[...]", "(repeats forever)", "and so on", "...and so on, for hours"])
def test_lines_left_out_after_two_turns_prove_the_repetition(left_out: str) -> None:
    lines = [READABLE, AT_END] * 2
    assert sure("eof-ignored-spin", iter(lines)) is Confidence.POSSIBLE
    assert sure("eof-ignored-spin", iter([*lines, left_out])) is Confidence.LIKELY
