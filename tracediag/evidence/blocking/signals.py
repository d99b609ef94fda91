"""Waits for signals: pause(2), sigsuspend(2), sigwaitinfo(2), signalfd(2); sets of signals in words: signal(7)."""

from __future__ import annotations

import signal

from tracediag.evidence.blocking.link import Link
from tracediag.snapshot import Moment, ProcessState, ThreadState
from tracediag.trace.calls import SIGNAL_WAITS

_SHOWN = 4
_INNER = 1 << 31 | 1 << 32
"""Signals 32 and 33, which glibc keeps for itself: nptl(7)."""


def signal_link(moment: Moment, process: ProcessState, thread: ThreadState) -> Link | None:
    """Return which signals would end a wait, and why one that was sent does not."""
    if thread.call in SIGNAL_WAITS:
        asked = f"{signals(thread.asked, 'or')} (sigwait)" if thread.asked else ""
        return Link(thread.tid, asked, None, "signal") if asked else None
    handled = process.caught & ~thread.blocked & ~_INNER
    what = f"a signal that it handles: {signals(handled, 'or')}" if handled else "a signal, of which it handles none"
    held = _kept_back(process, thread)
    if held:
        verb, them = ("is", "it") if held & (held - 1) == 0 else ("are", "them")
        by = f"{thread.call} has {them} in its mask" if "suspend" in thread.call else f"the thread blocks {them}"
        why = f"{signals(held)} {verb} pending, but {by}"
        return Link(thread.tid, f"{what}; {why}", None, "signal")
    ended = [pid for pid in process.children if is_zombie(moment, pid)]
    if not ended:
        return Link(thread.tid, what, None, "signal")
    which = f"child {ended[0]} has" if len(ended) == 1 else f"{len(ended):,} children, such as {ended[0]}, have"
    return Link(thread.tid, f"a signal; {which} ended already: that SIGCHLD came before the wait", None, "signal")


def _kept_back(process: ProcessState, thread: ThreadState) -> int:
    """Return the signals that were sent and that only this wait keeps back: each other thread blocks them too."""
    shared = process.pending
    for other in process.threads:
        shared &= other.blocked
    return (thread.pending & thread.blocked) | shared


def is_zombie(moment: Moment, pid: int) -> bool:
    """Whether a process has ended, and its parent has not waited for it."""
    process = moment.process(pid)
    return process is not None and bool(process.threads) and all(thread.state == "Z" for thread in process.threads)


def signals(mask: int, joined: str = "") -> str:
    """Return a set in words: "SIGHUP, SIGTERM"; with a word such as "or" before the last one."""
    names = [_name(number) for number in range(1, 65) if mask >> (number - 1) & 1]
    if len(names) > _SHOWN:
        return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"
    if joined and len(names) > 1:
        return f"{', '.join(names[:-1])} {joined} {names[-1]}"
    return ", ".join(names) or "a signal"


def _name(number: int) -> str:
    """Return the name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
