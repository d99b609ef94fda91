"""The paths that a call names, as given and made absolute."""

from __future__ import annotations

from tracediag.kernel.locating import absolute
from tracediag.kernel.process import Thread
from tracediag.trace.events import Syscall
from tracediag.trace.values import text_of

_KEYS = (
    ("path", ("dirfd", "olddirfd")),
    ("oldpath", ("olddirfd",)),
    ("newpath", ("newdirfd",)),
    ("linkpath", ("newdirfd",)),
)
"""The parameters that are paths, and those that are the directory of each."""


def paths_of(call: Syscall, thread: Thread) -> set[str]:
    """Return the paths that a call names: each as the program gives it, and absolute where that is known."""
    found = set()
    for key, directories in _KEYS:
        text = text_of(call.arg(key))
        if text is None or not text.data:
            continue
        at = next((name for name in directories if name in call), None)
        found.add(str(text))
        known = absolute(call, thread, key, at)
        if known is not None:
            found.add(known)
    return found
