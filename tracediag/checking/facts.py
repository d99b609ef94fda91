"""What is known of calls besides the comparisons: which have an argument, which can fail, which take a constant."""

from __future__ import annotations

from functools import cache

from tracediag.parsing.constants import table
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.parameters import names
from tracediag.trace.parameters.table import table as parameters

NEVER_FAIL = frozenset(
    {"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "umask", "sync", "alarm"}
    | {"getuid32", "geteuid32", "getgid32", "getegid32", "exit", "exit_group"}
)
"""The calls that the manual says are always successful: getpid(2), getuid(2), umask(2), sync(2), alarm(2), _exit(2)."""
_PLAIN = frozenset(
    {"fd", "sockfd", "oldfd", "newfd", "buf", "count", "pathname", "path", "oldpath", "newpath", "length", "mode"}
)
"""Parameters that take no constant."""


@cache
def calls_with_argument(argument: str) -> frozenset[str]:
    """Return the calls that have an argument of that name, and those of which nothing is known."""
    held = {"fd"} if argument == "fd" else set()
    for everyday in parameters().everyday:
        if everyday.name == argument:
            held.update(everyday.stands_for)
    held.add(argument)
    found = set()
    for row, places in parameters().rows.items():
        if any(spelling in held for place in places for spelling in place):
            found.add(row.partition(":")[0])
    return frozenset(found) | frozenset(call for call in SYSCALLS if names(call) is None)


@cache
def constants() -> dict[str, frozenset[str]]:
    """Return the calls that can take each constant that is known: those of the table, and those it says nothing of."""
    known = table()
    by_group: dict[str, set[str]] = {}
    for groups in (known.enums, known.flags):
        for group, rows in groups.items():
            by_group.setdefault(group.partition("@")[0], set()).update(name for _, name in rows)
    for group, (_, other) in known.masks.items():
        by_group.setdefault(group.partition("@")[0], set()).update(by_group.get(other, ()))
    taken: dict[str, set[str]] = {name: set() for names_ in by_group.values() for name in names_}
    for call in SYSCALLS:
        for name in _taken_by(call, by_group):
            taken[name].add(call)
    anything = frozenset(call for call in SYSCALLS if _takes_anything(call))
    return {name: frozenset(calls) | anything for name, calls in taken.items()}


def _taken_by(call: str, by_group: dict[str, set[str]]) -> set[str]:
    known = table()
    groups = {*known.calls.get(call, {}).values(), *(case.group for case in known.cases.get(call, ()))}
    if known.calls.get(call) or known.cases.get(call):
        groups.update(known.fields.values())
    return {name for group in groups for name in by_group.get(group, ())}


def _takes_anything(call: str) -> bool:
    """Whether the table says nothing of a call that may take constants."""
    if call in table().calls or call in table().cases:
        return False
    held = names(call)
    return held is None or not set(held) <= _PLAIN
