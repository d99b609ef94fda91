"""Threads that wait one for another, to the end of the chain or in a circle."""

from __future__ import annotations

import msgspec

from tracediag.evidence.blocking.links import Link, link_of, name_of, stands
from tracediag.kernel import Kernel
from tracediag.snapshot import Moment

_LONGEST = 8
LOCKS = frozenset({"mutex", "stream", "rwlock"})
"""The kinds of links that are locks between threads."""


class Chain(msgspec.Struct, frozen=True):
    """Who waits for whom, from one thread on."""

    moment: Moment
    links: tuple[Link, ...]
    circle: bool = False
    """Whether the last one waits for one before it."""

    @property
    def sentence(self) -> str:
        """The chain in words."""
        first = self.links[0]
        parts = [f"it waits for {first.waits}"]
        for before, link in zip(self.links, self.links[1:], strict=False):
            parts.append(f"{name_of(self.moment, link.tid, before.tid)} waits for {link.waits}")
        last = self.links[-1]
        if self.circle:
            return "; ".join(parts) + ": a deadlock, no thread of it can continue"
        if last.blocker is not None and (where := stands(self.moment, last.blocker)):
            parts.append(f"{name_of(self.moment, last.blocker, last.tid)} {where}")
        return "; ".join(parts)

    @property
    def hopeless(self) -> bool:
        """Whether only an outside action can end the wait: a circle, or the lock of a thread that has ended."""
        last = self.links[-1]
        return self.circle or (last.blocker is None and last.kind in LOCKS)


def chain_of(moment: Moment, tid: int) -> Chain | None:
    """Return what a thread waits for, what that waits for, and so on; None where the snapshot shows no such thing."""
    links: list[Link] = []
    seen: set[int] = set()
    at: int | None = tid
    while at is not None and len(links) < _LONGEST:
        if at in seen:
            return Chain(moment, tuple(links), circle=True)
        seen.add(at)
        link = link_of(moment, at)
        if link is None:
            break
        links.append(link)
        at = link.blocker
    return Chain(moment, tuple(links)) if links else None


def blocked_by(kernel: Kernel, tid: int | None) -> Chain | None:
    """Return the chain of a thread of the trace at its end, from the later snapshot that has the thread."""
    known = kernel.known
    if known is None or tid is None:
        return None
    moments = (moment for moment in (known.after, known.before) if moment is not None)
    for moment in moments:
        chain = chain_of(moment, tid)
        if chain is not None:
            return chain
    return None
