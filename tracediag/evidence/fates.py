"""How the processes of a trace ended, of which the head of the report names those that matter.

A process is judged when it ends, because the model forgets then what it said; only those that were there first or
ended badly are kept.
"""

from __future__ import annotations

import msgspec

from tracediag.evidence.last_words import last_words
from tracediag.evidence.names import process_name
from tracediag.evidence.reasons import reason
from tracediag.evidence.statuses import answer, meaning
from tracediag.evidence.verdict import Verdict
from tracediag.evidence.verdicts import not_followed
from tracediag.evidence.waiters import STOPS, blocked_in
from tracediag.evidence.waits import Standing
from tracediag.kernel import Action, Kernel
from tracediag.kernel.process import Process
from tracediag.kernel.signals import ORDERS
from tracediag.results.overview import Fate
from tracediag.trace.calls import FUTEXES
from tracediag.trace.events import Begun, Syscall

_KEPT = 64
_LONGEST = 100
"""Characters of the text of a call."""
_ROOTS = 2
"""Processes without a parent in the trace that are named even if they ended well."""


class _Kept(msgspec.Struct):
    """A process that ended badly."""

    fate: Fate
    weight: int


class Fates:
    """The ends of one trace."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._roots: list[Fate] = []
        """Ends of processes without a parent in the trace, in order."""
        self._bad: list[_Kept] = []
        self._failed = 0
        """How many other processes ended badly and not with a conventional answer."""

    def record(self, action: Action) -> None:
        """Record the end of a process, when its last thread has exited."""
        process = action.process
        root, bad = process.parent is None and process.started is None, process.ended_badly
        self._record_unseen(process)
        if root and len(self._roots) < _KEPT:
            self._roots.append(fate_of(process, self._kernel, action))
        elif bad:
            fate = fate_of(process, self._kernel, action)
            answers = answer(fate.program, fate.status) is not None
            self._failed += not answers
            self._keep(_Kept(fate, 0 if answers else _weight(fate)))

    def _record_unseen(self, process: Process) -> None:
        """Record the ends of children of which the recording shows only what their parent's wait returned."""
        for verdict in not_followed(process):
            self._failed += 1
            fate = _told(verdict)
            self._keep(_Kept(fate, _weight(fate) + 1))

    def _keep(self, kept: _Kept) -> None:
        self._bad.append(kept)
        if len(self._bad) > _KEPT:
            self._bad.remove(min(self._bad, key=lambda one: one.weight))

    def chosen(self, most: int) -> tuple[tuple[Fate, ...], int]:
        """Return the fates to name, at most so many, children first; and how many others ended badly.

        The first process, which the report says was traced, is always named. Another that ended well is named only if
        it has no parent in the trace; a child with a conventional answer only if it has the status of one that ended
        badly.
        """
        for process in self._kernel.processes:
            if process.exit is None:
                self._record_unseen(process)
        running = [process for process in self._kernel.processes if process.exit is None and process.started is None]
        roots = [*self._roots, *(fate_of(process, self._kernel) for process in running[:_KEPT])]
        first = self._kernel.processes[0].pid if self._kernel.processes else None
        ranked = sorted(roots, key=lambda fate: (fate.pid != first, not _bad(fate)))
        wanted = sum(_bad(fate) or fate.pid == first for fate in roots)
        chosen = ranked[: max(_ROOTS, wanted)][:most]
        failed = sorted((kept for kept in self._bad if kept.weight), key=lambda kept: -kept.weight)
        telling = [kept for kept in failed if kept.weight > 1] or failed[:_ROOTS]
        children = [kept.fate for kept in telling[: most - len(chosen)]]
        left = sum(map(_bad, ranked[len(chosen) :])) + self._failed - len(children)
        statuses = {fate.status for fate in chosen if fate.status}
        answers = [kept.fate for kept in self._bad if not kept.weight and kept.fate.status in statuses]
        children += answers[-_ROOTS:][: most - len(chosen) - len(children)]
        return (*sorted(children, key=_when), *sorted(chosen, key=_when)), left


def fate_of(process: Process, kernel: Kernel, action: Action | None = None) -> Fate:
    """Return how a process ended, or that it runs at the end of the trace, with what it said last."""
    end, exited = process.end, process.exit
    return Fate(
        process=process_name(process),
        pid=process.pid,
        program=process.program,
        status=process.status,
        signal=None if exited is None else exited.signal,
        core_dumped=exited is not None and exited.core_dumped,
        sender=_sender(process, kernel, action),
        running=end is None,
        meaning=meaning(process.program, process.status),
        line=None if end is None else end.line,
        time=None if end is None else end.time,
        stood=_stood(process, action),
        words=last_words(process, badly=process.ended_badly, held=() if action is None else action.released),
    )


def _stood(process: Process, action: Action | None) -> str:
    """Return the call in which a process stood when a user, supervisor or timeout ended it, and what it waited for."""
    if action is None or process.exit is None or not process.ended_badly:
        return ""
    call = process.ordered_in or (blocked_in(action.thread) if process.exit.signal in STOPS else None)
    if call is None:
        return ""
    why = reason(Standing(action.kernel, process, action.thread, call, action.released))
    return f"{_briefly(call)} since line {call.line:,}{why and f': {why}'}"


def _briefly(call: Syscall | Begun) -> str:
    """Return a call without its result, which only repeats that a signal came; of a futex the address is enough."""
    arguments = call.body.partition(",")[0] if call.name in FUTEXES else call.body.rstrip(" ,")
    text = f"{call.name}({arguments})"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _sender(process: Process, kernel: Kernel, action: Action | None) -> str | None:
    """Return the name of another process that sent the signal, if it is one of the last sent, or of tracediag."""
    signal = None if process.exit is None else process.exit.signal
    if signal is None:
        return None
    for sender, call in reversed(kernel.sent):
        if call.has(signal) and process.is_called(call.number(0)) and sender is not process:
            return process_name(sender)
    known, last = kernel.known, None if action is None else action.thread.last_signal
    ours = known is not None and known.ender is not None and last is not None and last.sender == known.ender
    return "tracediag (--for)" if ours else None


def _told(known: Verdict) -> Fate:
    """Return the end of a child that strace did not follow, as its parent learned it."""
    end = known.end
    return Fate(
        process=f"child {known.pid}, not followed,",
        pid=known.pid,
        program=None,
        status=known.status,
        signal=known.signal,
        line=None if end is None else end.line,
        time=None if end is None else end.time,
        words=known.overheard,
    )


def _bad(fate: Fate) -> bool:
    return fate.signal is not None or bool(fate.status)


def _when(fate: Fate) -> int:
    return 1 << 60 if fate.line is None else fate.line


def _weight(fate: Fate) -> int:
    """Return how much an end matters: a crash most, then a failure with words, an order to stop least."""
    if fate.signal is not None:
        return 2 if fate.signal in ORDERS or fate.signal == "SIGPIPE" else 9
    return (4 if fate.words is not None else 1) + (1 if (fate.status or 0) > 1 else 0)
