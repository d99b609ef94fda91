"""The failed call that an excerpt is about, where nothing shows how the program ended.

People paste the lines around the failure that they do not understand. It is the heaviest one that is not part of normal
work, of several the latest. A failure that the program made good, or after which the trace continues for long, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tracediag.evidence.blame import Blame, failed_calls, placed
from tracediag.evidence.complaints import target
from tracediag.evidence.waiters import waits_since
from tracediag.evidence.weights import harmless, weight
from tracediag.kernel import Kernel
from tracediag.kernel.calls.transfer import BROKEN
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence
from tracediag.trace.calls import EPOLL_CTLS, LOOKS, MKDIRS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_HEAVY, _LIGHT = 40, 20
"""From and below which `weight` is heavy or light: a look whose failure is an answer is light."""
_SMALL, _LARGE = 30, 2000
"""Lines of an excerpt that was cut around a failure, and of one that is too long to be about one call."""
_LATE = 25
"""Lines at the end of an excerpt in which a failure is what the paste ends with."""
_LOCK = lazy_pattern(r"lock|\.lck\b", re.IGNORECASE)
"""The name of a directory that serves as a lock."""
_UNUSUAL = frozenset({"EIO", "ESTALE", "ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOTDIR", "ENAMETOOLONG", "ELOOP"})
"""Errors that are no answer to a question, whatever call returns them."""


def find_subject(kernel: Kernel) -> Blame | None:
    """Return the failed call that an excerpt is about, or None."""
    last = kernel.last_line
    if last > _LARGE:
        return None
    best: tuple[int, Process, Syscall] | None = None
    for process in kernel.processes:
        if process.exit is not None:
            continue
        for call in _candidates(process, last):
            key = (_heaviness(call), call.line)
            if best is None or key >= (best[0], best[2].line):
                best = (key[0], process, call)
    if best is None:
        return None
    sure = Confidence.LIKELY if last <= _SMALL else Confidence.POSSIBLE
    return placed(Blame(best[2], None, named=False, confidence=sure), best[1])


def _candidates(process: Process, last: int) -> Iterator[Syscall]:
    failures = failed_calls(process)
    for place, call in enumerate(failures):
        if (
            harmless(call)
            or _exists_already(call, last)
            or waits_since(process, call.line)
            or _elsewhere(call, failures[place + 1 :])
            or _survived(call, failures[:place])
        ):
            continue
        heavy = _heaviness(call) >= _HEAVY
        if _heaviness(call) < _LIGHT and len(failures) > 1:
            continue  # several looks without success are a search
        if last <= _SMALL or last - call.line <= (2 * _LATE if heavy else _LATE):
            yield call


def _exists_already(call: Syscall, last: int) -> bool:
    """Whether what was to be created exists, and the program carries on: so do most ask for a directory or an entry."""
    asks = call.name in EPOLL_CTLS or (call.name in MKDIRS and _LOCK.search(call.body) is None)
    return call.errno == "EEXIST" and last > call.line and asks


def _heaviness(call: Syscall) -> int:
    return _HEAVY if call.errno in _UNUSUAL else weight(call)


def _elsewhere(call: Syscall, later: list[Syscall]) -> bool:
    """Whether the same name is looked for in another place later: one search, of which only the last place counts."""
    name = (target(call) or "").rpartition("/")[2]
    looking = call.errno == "ENOENT" and (call.name in LOOKS or call.name.startswith(("open", "exec")))
    return looking and any(other.errno == "ENOENT" and (target(other) or "").endswith(f"/{name}") for other in later)


def _survived(call: Syscall, earlier: list[Syscall]) -> bool:
    """Whether a connection breaks as another one did before, after which the program carried on."""
    if call.errno not in BROKEN:
        return False
    return any(other.errno in BROKEN and other.number(0) != call.number(0) for other in earlier)
