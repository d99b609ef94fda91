"""Which open file descriptions a call acts on: by its first descriptor, by others, in a set, or in a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tracediag.kernel import Action
from tracediag.kernel.calls.passing import carried
from tracediag.kernel.descriptor import OpenFile
from tracediag.trace.calls import MESSAGE_SENDS, MOVES, SENDFILES
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import names
from tracediag.trace.values import number_of

DESCRIPTORS = frozenset(
    {"fd", "sockfd", "dirfd", "epfd", "pidfd", "mqdes", "oldfd", "newfd", "fd_in", "fd_out"}
    | {"out_fd", "in_fd", "olddirfd", "newdirfd", "mount_fd"}
)
"""Parameters that are descriptors."""
_DIRECTORIES = frozenset({"dirfd", "olddirfd"})


class Touch(NamedTuple):
    """How a call acted on a description, and by which number."""

    how: str
    """"" or "creates ", "closes ", "reports ", "passes ", "from ", "to "."""
    number: int | None

    @property
    def note(self) -> str:
        """Both in words: "fd 7", "creates fd 8", "reports fd 7"."""
        return f"{self.how}{'the descriptor' if self.number is None else f'fd {self.number}'}"


def touched(action: Action) -> dict[OpenFile, Touch]:
    """Return the descriptions that an applied event acted on, each with how."""
    found = {descriptor.file: Touch("creates ", descriptor.number) for descriptor in action.opened}
    for descriptor in action.released:
        found.setdefault(descriptor.file, Touch("closes ", descriptor.number))
    if action.registration is not None:
        found.setdefault(action.registration.file, Touch("", action.registration.number))
    if action.round is not None and action.round.wait is action.event:
        for report in action.round.reports:
            if report.descriptor is not None:
                found.setdefault(report.descriptor.file, Touch("reports ", report.number))
    event = action.event
    if isinstance(event, Syscall):
        for number, how in _named(event):
            held = None if number is None or number < 0 else action.process.table.get(number)
            if held is not None:
                found.setdefault(held.file, Touch(how, number))
    return found


def _named(call: Syscall) -> Iterator[tuple[int | None, str]]:
    """Yield the descriptors that the arguments of a call name, each with the words for how it is used."""
    if call.name in MOVES:
        source, target = (1, 0) if call.name in SENDFILES else (0, 2)
        yield call.number(source), "from "
        yield call.number(target), "to "
    elif _begins_with_descriptor(call):
        yield call.number(0), ""
        if call.name in MESSAGE_SENDS and call.has("SCM_RIGHTS"):
            for items in carried(call):
                yield from ((number_of(item), "passes ") for item in items)


def _begins_with_descriptor(call: Syscall) -> bool:
    """Whether the first argument is a descriptor that the call acts on: not the directory that a path starts from."""
    known = names(call.name)
    if not known or known[0] not in DESCRIPTORS:
        return False
    return known[0] not in _DIRECTORIES or call.has("AT_EMPTY_PATH")
