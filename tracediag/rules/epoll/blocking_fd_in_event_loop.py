"""TD105: a descriptor without O_NONBLOCK that blocks an event loop."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.evidence.cases import Cases
from tracediag.evidence.scope import Fact
from tracediag.evidence.steps import birth
from tracediag.evidence.waiters import lasts
from tracediag.kernel import Action
from tracediag.kernel.calls.transfer import asked
from tracediag.kernel.describe import describe, name
from tracediag.kernel.descriptor import Descriptor, Kind
from tracediag.kernel.epoll import Round
from tracediag.kernel.process import Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_round, on_traffic
from tracediag.trace.calls import ACCEPTS, EPOLL_WAITS, POLLS, READS, SELECTS, WRITES
from tracediag.trace.events import Syscall
from tracediag.trace.quantities import seconds
from tracediag.trace.values import Array, bare, items_of, names_of, number_of

LONG = 0.1
"""Seconds inside one call from which the loop was clearly blocked."""

_KINDS = frozenset({Kind.SOCKET, Kind.PIPE, Kind.UNKNOWN})


class BlockingFdInEventLoop(Rule):
    """A descriptor of a loop without O_NONBLOCK, on which a read, write or accept then blocks."""

    code = "TD105"
    name = "blocking-fd-in-event-loop"
    severity = Severity.ERROR
    summary = "a descriptor without O_NONBLOCK blocks an event loop: no other descriptor is served"
    needs = (Fact.DURATIONS,)
    raised_by = ((*EPOLL_WAITS, *POLLS, *SELECTS),)

    def __init__(self) -> None:
        self._told: Cases[Descriptor, None] = Cases()
        self._loops: Cases[Thread, None] = Cases()
        """The threads that have made a turn of a loop."""

    @on_round
    def turned(self, action: Action) -> None:
        """Note that there is a loop at all."""
        self._loops.setdefault(action.thread, None)

    @on_traffic(*READS, *WRITES, *ACCEPTS)
    def called(self, action: Action) -> Iterator[Finding] | None:
        """Look for a call that blocked, on a descriptor that the loop is handling."""
        return self._blocked(action) if action.thread.rounds else None

    def _blocked(self, action: Action) -> Iterator[Finding]:
        descriptor, call = action.descriptor, action.call
        if descriptor is None or descriptor.file.kind not in _KINDS or descriptor in self._told:
            return
        if descriptor.file.flags.has("O_NONBLOCK"):
            return
        turn = _turn(action, descriptor)
        if turn is None or (call.returned and _alone(turn)):
            return
        known = descriptor.file.flags.has("O_NONBLOCK") is False
        if (how := _blocked(action, descriptor)) is not None:
            waited = call.returned or None not in _since(action)
            sure = Confidence.CERTAIN if known and waited and action.thread in self._loops else Confidence.LIKELY
        elif known and call.duration is None and _after_short_read(call, turn, descriptor):
            how, sure = f"nothing was left to read, and {call.name} waits for the peer", Confidence.LIKELY
        else:
            return
        self._told[descriptor] = None
        yield self._finding(descriptor, call, turn, how, sure)

    def _finding(self, descriptor: Descriptor, call: Syscall, turn: Round, how: str, sure: Confidence) -> Finding:
        number, alone = descriptor.number, _alone(turn)
        reported = any(report.descriptor is descriptor for report in turn.reports)
        born = "" if descriptor.opened is None else _FLAGS.get(descriptor.opened.name, "")
        effect = "the timeout of the wait does not apply" if alone else "no other descriptor is served"
        return self.finding(
            [
                *birth(descriptor),
                step(turn.wait, f"fd {number} is reported ready" if reported else f"woken; fd {number} is in the set"),
                *_earlier(call, turn, number),
                step(call, f"{how}; {effect}", primary=True),
            ],
            object=describe(descriptor),
            title=(_ALONE if alone else _LOOP).format(call.name, name(descriptor)),
            severity=Severity.WARNING if alone else Severity.ERROR,
            confidence=sure,
            why="a descriptor reported ready may still block: without O_NONBLOCK the next read with nothing left, or a"
            " write of more than fits, sleeps until the peer acts: select(2), BUGS",
            fix=f"make fd {number} non-blocking ({born}F_SETFL with O_NONBLOCK added to what F_GETFL returns), and"
            " return to the wait on EAGAIN",
        )


_LOOP = "the event loop blocks in {} on {}"
_ALONE = "{} blocks on {}, which was reported ready"
_FLAGS = {
    "accept": "accept4 with SOCK_NONBLOCK, or ",
    "accept4": "accept4 with SOCK_NONBLOCK, or ",
    "socket": "socket with SOCK_NONBLOCK, or ",
    "socketpair": "socketpair with SOCK_NONBLOCK, or ",
    "pipe2": "pipe2 with O_NONBLOCK, or ",
}
"""How to get O_NONBLOCK from the start, by the call that created the descriptor."""


def _blocked(action: Action, descriptor: Descriptor) -> str | None:
    """Return how the call shows that it blocked, or None where it does not."""
    call = action.call
    if not call.returned:
        return f"{call.name} has not returned at the end of the trace" if _is_stuck(action, descriptor) else None
    if call.interrupted:
        return f"{call.name} was blocked until a signal interrupted it"
    if call.duration is not None and call.duration >= LONG:
        return f"{call.name} takes {seconds(call.duration)}"
    return None


def _is_stuck(action: Action, descriptor: Descriptor) -> bool:
    """Whether a call without its second half is blocked, and not merely in progress when the recording stopped."""
    call, socket = action.call, descriptor.file.socket
    before = None if socket is None else socket.last_read if call.name in READS else socket.last_write
    if before is not None and "MSG_DONTWAIT" in names_of(before.arg(3)):
        return False
    return lasts(call, action.kernel, LONG)


def _since(action: Action) -> Iterator[float | None]:
    """Yield how long after the start of the call each other thread last made one; None where there are no times."""
    begun = action.call.time
    for thread in action.kernel.process_table.threads.values():
        last = thread.last_call
        if last is None or thread is action.thread or max(last.line, last.end_line) < action.call.line:
            continue
        ended = last.time if last.end_time is None else last.end_time
        yield None if begun is None or ended is None else ended - begun


def _after_short_read(call: Syscall, turn: Round, descriptor: Descriptor) -> bool:
    """Whether a stream was read again right after a read that had emptied it, in a loop with other descriptors.

    Without times a block shows only in this way: the first read got less than it asked for, so nothing was left.
    End-of-file, which never blocks, may directly follow a short read.
    """
    socket = descriptor.file.socket
    if turn.epoll is None or len(turn.epoll.entries) < 2 or socket is None or not socket.stream:
        return False
    for report in turn.reports:
        if report.descriptor is descriptor and len(report.calls) > 1 and report.calls[-1] is call:
            before, wanted = report.calls[-2], asked(report.calls[-2])
            short = before.result is not None and wanted is not None and 0 < before.result < wanted
            reads = before.name in READS and call.name in READS and call.result != 0
            return short and reads and "MSG_DONTWAIT" not in names_of(call.arg(3))
    return False


def _alone(turn: Round) -> bool:
    """Whether the wait is for this descriptor only, as in a client that wants a timeout."""
    call = turn.wait
    if turn.epoll is not None:
        from_start = turn.set_descriptor is not None and turn.set_descriptor.opened is not None
        return from_start and len(turn.epoll.entries) < 2
    if call.name in SELECTS:
        return len({number_of(item) for position in (1, 2, 3) for item in items_of(call.arg(position))}) < 2
    watched = bare(call.arg(0))
    return isinstance(watched, Array) and watched.complete and len(watched.items) < 2


def _turn(action: Action, descriptor: Descriptor) -> Round | None:
    """Return the turn of a loop in which the descriptor is handled: it was reported, or is watched by that set."""
    for turn in action.thread.rounds.values():
        if any(report.descriptor is descriptor for report in turn.reports):
            return turn
        if turn.epoll is not None and any(entry.epoll is turn.epoll for entry in descriptor.file.registrations):
            return turn
    return None


def _earlier(call: Syscall, turn: Round, number: int) -> Iterator[Step]:
    """Yield the first call of the turn on the descriptor: it used up what had made the descriptor ready."""
    for report in turn.reports:
        if report.number == number and report.calls and report.calls[0] is not call:
            yield step(report.calls[0], f"this call uses up what made fd {number} ready")
            return
