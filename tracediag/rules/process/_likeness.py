"""Whether two failed calls are the same attempt, made again."""

from __future__ import annotations

from tracediag.trace.calls import ACCEPTS, FUTEXES, READS, SEEKS, WRITES
from tracediag.trace.events import Syscall

_OWN_RULES = {
    "EAGAIN": FUTEXES | READS | WRITES,
    "ETIMEDOUT": FUTEXES,
    "EMFILE": ACCEPTS,
    "ENFILE": ACCEPTS,
    "ENOTTY": frozenset({"ioctl"}),
    "EPERM": frozenset({"epoll_ctl"}),
    "ESPIPE": SEEKS,
}
"""Failures that have a rule of their own, or that are normal."""

Failed = tuple[Syscall, str | None]
"""A failed call, and the path of the file that it acted on, where the trace shows it."""
_BY_PATH = ("at", "at2", "at64", "statx", "inotify_add_watch")
"""Endings of calls that take a descriptor and a path: another path is another object."""


def alike(first: Failed, second: Failed) -> bool:
    """Whether two failures are the same: the same error of the same call on the same object.

    The object, as recorded, is the descriptor with a path relative to it, or else all of the arguments. Under one
    number a program may have opened one file after the other.
    """
    (one, path), (other, its_path) = first, second
    if one.name != other.name or one.errno != other.errno:
        return False
    if path is not None and its_path is not None and path != its_path:
        return False
    mine, its = one.body, other.body
    end = '",' if one.name.endswith(_BY_PATH) else ","
    if mine != its:
        whole = not mine[:1].isdigit() or one.name == "epoll_ctl"
        if whole or mine.partition(end)[0] != its.partition(end)[0]:
            return False
    return one.name not in _OWN_RULES.get(one.errno or "", ())
