"""What a filter leaves out of a recording has not happened unseen: which calls must show before others are missed."""

from __future__ import annotations

from collections.abc import Collection

from tracediag.trace.calls import (
    ACCEPTS,
    CHILD_WAITS,
    CLOSES,
    EXECS,
    EXITS,
    FORKS,
    FSTATS,
    KILLS,
    OPENS,
    READS,
    SIGNAL_ACTIONS,
    SIGNAL_MASKS,
    SOCKET_LOOKS,
    SOCKET_SETUP,
    SOCKET_TRANSFERS,
    SOCKETS,
    WAITS,
    WRITES,
)

_NETWORK = SOCKET_TRANSFERS | SOCKET_LOOKS | SOCKET_SETUP | SOCKETS | ACCEPTS
"""Calls that only `-e trace=network` holds: strace's class of calls on descriptors lacks them."""
_BESIDE = _NETWORK | FORKS | EXECS | EXITS | CHILD_WAITS | SIGNAL_ACTIONS
"""Calls that show that the recording is not one of `-e trace=desc`."""

_FAMILIES = {
    "network": _NETWORK,
    "desc": READS | WRITES | CLOSES | FSTATS,
    "file": OPENS | EXECS | {"access", "stat", "lstat", "readlink", "newfstatat"},
    "process": FORKS | EXECS | EXITS | CHILD_WAITS,
    "signal": SIGNAL_ACTIONS | SIGNAL_MASKS | KILLS,
}
"""Usual calls of the families of `strace -e trace=`, of which each program makes some."""

_SPINS = READS | WRITES | WAITS | ACCEPTS | {"connect"}
_FEW = 2
"""Names of these up to which a recording may be of a program that does nothing else: it spins."""


def would_show(calls: Collection[str], names: Collection[str], *, sockets: bool = False) -> bool:
    """Whether a recording that shows calls of some names would show these calls, had the program made them.

    At least one of them shows. Sockets are served by calls of two classes of strace: where those of the network are
    among them, they must not be hidden by a filter for descriptors, files or processes.

    Args:
        calls: the names of the calls that are missed.
        names: those of the calls that show.
        sockets: whether sockets are known to be in use.
    """
    seen = set(names)
    if seen.isdisjoint(calls):
        return False
    return SOCKET_TRANSFERS.isdisjoint(calls) or not seen.isdisjoint(_NETWORK if sockets else _BESIDE)


def hidden_families(names: Collection[str]) -> tuple[str, ...]:
    """Return the families of `strace -e trace=` of which a filtered recording with calls of some names shows none."""
    return tuple(family for family, calls in _FAMILIES.items() if calls.isdisjoint(names))


def may_only_spin(calls: Collection[str], names: Collection[str]) -> bool:
    """Whether a recording shows so few kinds of calls that the program may make no other of the kind asked for."""
    return 0 < len(names) <= _FEW and _SPINS.issuperset(names) and not _SPINS.isdisjoint(calls)
