"""Owner and mode of what a call was refused for, as an earlier stat of the same path or its directory showed them."""

from __future__ import annotations

import posixpath

import msgspec

from tracediag.evidence.complaints import target
from tracediag.kernel.process import Process
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.values import text_of

_REFUSED = frozenset({"EACCES", "EPERM"})
_MODE = lazy_pattern(r"\bstx?_mode=(?:S_IF[A-Z]{2,4}\|)?([0-7]{3,5})\b")
_OWNER = lazy_pattern(r"\bstx?_uid=([0-9]{1,10})\b")
_GROUP = lazy_pattern(r"\bstx?_gid=([0-9]{1,10})\b")


class Seen(msgspec.Struct, frozen=True):
    """What a stat showed."""

    call: Syscall
    path: str
    mode: str
    """As strace prints it: "0600"."""
    owner: str | None
    """The numbers of owner and group, which strace prints with -v alone."""
    group: str | None

    @property
    def told(self) -> str:
        """What it shows, as a clause: "d/key has mode 0600, owner 0 and group 0"."""
        who = [f"{what} {number}" for what, number in (("owner", self.owner), ("group", self.group)) if number]
        return f"{self.path} has mode {self.mode}" + (f", {' and '.join(who)}" if who else "")


def seen_by(process: Process, call: Syscall) -> Seen | None:
    """Return what the process saw, before a call was refused, of the path that the call names, or of its directory."""
    path = target(call)
    if call.errno not in _REFUSED or path is None or process.user_at(call.line) == 0:
        return None
    above = posixpath.dirname(path.rstrip("/"))
    known = {text: look for look in process.looks if look.line < call.line and (text := _named(look)) is not None}
    return next((found for name in (path, above) if name in known and (found := _seen(known[name], name))), None)


def _named(look: Syscall) -> str | None:
    """Return the path of a stat that starts from the working directory, or is absolute."""
    if look.number(0) is not None and look.name.endswith(("at", "at64", "statx")):
        return None
    found = text_of(look.arg(1 if look.has("AT_FDCWD") else 0))
    return None if found is None else str(found)


def _seen(look: Syscall, path: str) -> Seen | None:
    mode, owner, group = (expression.search(look.body) for expression in (_MODE, _OWNER, _GROUP))
    if mode is None:
        return None
    return Seen(look, path, mode[1], None if owner is None else owner[1], None if group is None else group[1])
