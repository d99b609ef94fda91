"""How an epoll set came to its state: the calls that added, removed and closed a number."""

from __future__ import annotations

from tracediag.evidence.steps import birth
from tracediag.kernel import Action
from tracediag.kernel.epoll import EpollSet, Registration
from tracediag.results.findings import Step, step
from tracediag.trace.events import Syscall


def history(action: Action, call: Syscall) -> list[Step]:
    """Return how the set came to this state: the earlier add, the removal, or the close of the number."""
    number, entry = call.number(2), action.registration
    if entry is not None and entry.added is not None and entry.added is not call:
        return [step(entry.added, f"fd {number} is added to the set")]
    holder = action.process.table.get(call.number(0) or 0)
    if number is None or number < 0 or holder is None or holder.file.epoll is None:
        return []
    former, removal = _former(holder.file.epoll, number), holder.file.epoll.removals.get(number)
    if former is None or not isinstance(former.removed, Syscall):
        return [] if removal is None else [step(removal, f"fd {number} is removed from the set")]
    added = [] if former.added is None else [step(former.added, f"fd {number} is added to the set")]
    deleted = former.removed.name == "epoll_ctl"
    how = "is removed from the set" if deleted else "is closed, which removes its entry from the set"
    return [*added, step(former.removed, f"fd {number} {how}")]


def origin(action: Action, call: Syscall) -> list[Step]:
    """Return the creation of the descriptor, or of the set, where the history of the set explains nothing."""
    if action.descriptor is not None and action.descriptor.opened is not None:
        return list(birth(action.descriptor))
    holder = action.process.table.get(call.number(0) or 0)
    return [] if holder is None else list(birth(holder))


def _former(epoll: EpollSet, number: int) -> Registration | None:
    """Return the last entry of that number that was removed."""
    gone = [entry for entry in epoll.by_data.values() if entry.number == number and entry.removed is not None]
    return max(gone, key=lambda entry: entry.removed.line if entry.removed else 0, default=None)
