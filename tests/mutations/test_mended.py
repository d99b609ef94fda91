"""What a cut, a filter or a margin brought up or lost before it was mended: one mutant of each kind."""

from __future__ import annotations

import pytest
from catalogue import mutants
from recorded_lines import SAMPLES
from survival import Verdict, judge

FALSE_ALARMS = [
    # Two kinds of failures, no success, and an exit without its call: a recording of failures, which hides the close.
    ("send-without-nosignal/fixed.f.strace", "-Z"),
    # No call is recorded: any of the processes may have sent the signal.
    ("lock-file-wait/fixed.f.strace", "-e trace=%network"),
    ("lock-file-wait/bug.f.strace", "-e trace=%network"),
    # The client has got its data and leaves; the connection is closed in the turn that reports it.
    ("write-after-peer-closed/fixed.f.strace", "cut at 24 lines end"),
    # The lines end with the read that shows the end of one connection, after work for another.
    ("epollserver/use-after-reset.f.strace", "cut at 24 lines use-after-reset"),
    # After its message the server creates the next child.
    ("send-without-nosignal/handler.f.strace", "cut at 24 lines write-after-peer-closed"),
    # The peer has sent its answer.
    ("epoll-set-shared-after-fork/workers.f.strace", "cut at 42 lines epoll-set-shared-after-fork"),
    # The lines end when the server is about to be told of the request.
    ("half-closed-leak/bug.f.strace", "cut at 120 lines half-closed-leak"),
    # The request is not answered because the server's registration is disarmed: in the whole recording as well.
    ("oneshot-not-rearmed/bug.f.strace", "first step cut off oneshot-not-rearmed"),
    # The message on fd 2 is cut before the error.
    ("fsync-error-ignored/fixed.f.strace", "without a name openat"),
    # What the thread read from the descriptor before it closed it is not shown.
    ("double-close/handed-over.f.strace", "without a name recvfrom"),
    # A reader hands out the lines of its buffer: strace shows none of them, or the read is cut off.
    ("ready-not-served-spin/buffered.f.strace", "-s 0"),
    ("ready-not-served-spin/buffered.f.strace", "cut at 24 lines end"),
    # A signal interrupts the wait, and what the resumed wait returns is not shown.
    ("backlog-too-small/fixed-children.strace", "without a name restart_syscall"),
]
LOST = [
    # A line of JSON around the calls is no call.
    ("failures/address-family-missing.strace", "margin ansible json"),
    # The soft break of quoted-printable divides `= -1`.
    ("failures/file-exists.strace", "margin quoted-printable"),
    ("failures/dead-fuse-server.strace", "margin quoted-printable"),
    # One line broken by a terminal, one broken between words, several broken between words.
    ("exec-interpreter-missing/bug-loader.f.strace", "margin terminal of 80"),
    ("failures/exec-failed.strace", "margin quoted mail of 72"),
    ("failures/direct-io-alignment.strace", "margin mail of 80"),
    # The pid that wait4 returns is broken in two.
    ("nonblocking-shared-terminal/fixed-restored.f.strace", "margin terminal of 80"),
    # Three lines with numbers before their pid.
    ("failures/address-not-available.fine.strace", "margin glued"),
    # Behind a margin, the exit of a child ends no trace.
    ("child-not-reaped/bug.f.strace", "margin stderr tag"),
    ("peer-reset/bug.f.strace", "margin jenkins with a clock"),
    # The peer of the socket that asks was accepted: the connect is cut off.
    ("peer-not-responding/bug.strace", "first step cut off peer-not-responding"),
    # A stream that has sent data was connected.
    ("use-after-reset/bug.f.strace", "without a name connect"),
]


@pytest.mark.parametrize(("recording", "label"), FALSE_ALARMS)
def test_no_error_or_warning_comes_up(recording: str, label: str) -> None:
    assert verdict_on(recording, label).new == ()


@pytest.mark.parametrize(("recording", "label"), LOST)
def test_nothing_is_lost(recording: str, label: str) -> None:
    verdict = verdict_on(recording, label)
    assert (verdict.lost, verdict.new) == ((), ())


def verdict_on(recording: str, label: str) -> Verdict:
    found, made = mutants(SAMPLES / recording)
    return judge(next(mutant for mutant in made if mutant.label == label), found)
