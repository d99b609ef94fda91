"""Waits at descriptors that count events: eventfd(2), timerfd_create(2), signalfd(2), inotify(7), pidfd_open(2)."""

from __future__ import annotations

import re

from tracediag.evidence.blocking.link import Link
from tracediag.evidence.blocking.signals import signals
from tracediag.snapshot import Held
from tracediag.trace.numbers import hexadecimal, identifier, integer

_DISARMED = "(0, 0)"
_WATCH = re.compile(r" mask:([0-9a-f]{1,8}+)")
_EVENTS = {
    0x1: "IN_ACCESS", 0x2: "IN_MODIFY", 0x4: "IN_ATTRIB", 0x8: "IN_CLOSE_WRITE", 0x10: "IN_CLOSE_NOWRITE",
    0x20: "IN_OPEN", 0x40: "IN_MOVED_FROM", 0x80: "IN_MOVED_TO", 0x100: "IN_CREATE", 0x200: "IN_DELETE",
    0x400: "IN_DELETE_SELF", 0x800: "IN_MOVE_SELF",
}  # fmt: skip
"""include/uapi/linux/inotify.h."""
_SHOWN = 4


def event_link(tid: int, held: Held) -> Link | None:
    """Return what would make such a descriptor readable; None for another kind."""
    kind = held.target.removeprefix("anon_inode:").strip("[]")
    said = held.details
    if kind == "eventfd":
        count = said.get("eventfd-count", "0").strip()
        return Link(tid, f"a write to the eventfd fd {held.number} (count {count})", None, "read")
    if kind == "timerfd" and "it_value" in said:
        if said["it_value"] == _DISARMED:
            what = f"the timer of fd {held.number}, which is disarmed (timerfd_settime with it_value 0): it never fires"
            return Link(tid, what, None, "timer")
        return Link(tid, f"the timer of fd {held.number}, which fires in {_seconds(said['it_value'])}", None, "timer")
    if kind == "signalfd" and "sigmask" in said:
        return Link(tid, f"{signals(hexadecimal(said['sigmask']) or 0)}, by signalfd fd {held.number}", None, "signal")
    if kind == "pidfd" and (pid := identifier(said.get("Pid", "").strip())):
        return Link(tid, f"process {pid} to end (pidfd fd {held.number})", pid, "child")
    return _watched(tid, held) if kind == "inotify" and "watches" in said else None


def _watched(tid: int, held: Held) -> Link:
    masks = [hexadecimal(mask) or 0 for mask in _WATCH.findall(held.details["watches"])]
    if not masks:
        return Link(tid, f"inotify fd {held.number}, which watches nothing: no event can come", None, "read")
    names = [name for bit, name in _EVENTS.items() if any(mask & bit for mask in masks)]
    asked = "|".join(names[:_SHOWN]) + ("|…" if len(names) > _SHOWN else "")
    count = "1 file or folder" if len(masks) == 1 else f"{len(masks):,} files or folders"
    return Link(tid, f"an event of inotify fd {held.number}, which watches {count} for {asked}", None, "read")


def _seconds(words: str) -> str:
    """Return "(3, 500000000)" in words."""
    seconds, _, nanoseconds = words.strip("()").partition(",")
    value = (integer(seconds.strip()) or 0) + (integer(nanoseconds.strip()) or 0) / 1e9
    return f"{value:,.1f} s"
