"""The words of a child that strace did not follow, where the program's output went to the same file as the trace.

strace prints the arguments of a call before the call blocks, and what the child writes meanwhile follows them:
`wait4(12, tar: a.tar: Cannot write: No space left on device`, and the rest of the call on a later line.
"""

from __future__ import annotations

import re

from tracediag.evidence.last_words import shortened
from tracediag.kernel.process import Reaped
from tracediag.results.overview import Words
from tracediag.trace.calls import CHILD_WAITS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_WAITED = lazy_pattern(
    r"(?:-?+[0-9]++|P_[A-Z]++, [0-9]++), (?!\[\{|\{si_|NULL|0x)(.{3,4096}?)(?=\[\{WIF|\{si_signo=|NULL|0x)", re.DOTALL
)
_WORDS = lazy_pattern(r"[A-Za-z]{2}")
_MOST = 4096


def overheard(known: Reaped) -> Words | None:
    """Return what a child printed while its parent created it or waited for it; None if nothing stands there."""
    started = None if known.child is None else known.child.started
    for call in (known.call, started):
        text = "" if not isinstance(call, Syscall) else _in_wait(call) if call.name in CHILD_WAITS else _in_fork(call)
        if isinstance(call, Syscall) and _WORDS.search(text) is not None:
            return Words(text=shortened(text), line=call.line, to="the text of the trace")
    return None


def _in_wait(call: Syscall) -> str:
    found = _WAITED.match(call.body)
    return "" if found is None else found[1]


def _in_fork(call: Syscall) -> str:
    """Vfork has no arguments: what stands there is the child's, which runs until it executes a program or exits."""
    return call.body[:_MOST] if call.name == "vfork" else ""
