"""Epoll sets, even if the trace does not show their creation."""

from __future__ import annotations

from tracediag.kernel import Kernel, apply
from tracediag.reading import read


def test_an_entry_removed_but_not_added_was_added_outside_the_trace() -> None:
    kernel = Kernel()
    (removal,) = (apply(kernel, event) for event in read(["epoll_ctl(4, EPOLL_CTL_DEL, 5, NULL) = 0\n"]))
    entry = removal.registration
    assert entry is not None
    assert (entry.number, entry.added, entry.removed) == (5, None, removal.event)
    assert not entry.file.registrations


def test_a_failed_removal_implies_no_entry() -> None:
    kernel = Kernel()
    line = "epoll_ctl(4, EPOLL_CTL_DEL, 5, NULL) = -1 ENOENT (No such file or directory)\n"
    (refusal,) = (apply(kernel, event) for event in read([line]))
    assert refusal.registration is None
