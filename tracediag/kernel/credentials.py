"""The identity of a process: users, groups, process group, session and terminal: credentials(7), setpgid(2).

And what it is allowed: its seccomp filters and resource limits.
"""

from __future__ import annotations

import msgspec

from tracediag.trace.events import Syscall


class Ids(msgspec.Struct, frozen=True):
    """The user or group ids of a process. Each is None until the trace shows it."""

    real: int | None = None
    effective: int | None = None
    saved: int | None = None

    def exec(self) -> Ids:
        """Return the ids known after an execve: the program's file may be set-user-ID: execve(2)."""
        return Ids(self.real)

    def set_one(self, number: int, *, root: bool | None) -> Ids:
        """Return the ids after setuid or setgid: root sets all three, other users only the effective one: setuid(2)."""
        if root is None:
            return Ids(number if self.real == number else None, number, None)
        return Ids(number, number, number) if root else Ids(self.real, number, self.saved)

    def set_two(self, real: int | None, effective: int | None) -> Ids:
        """Return the ids after setreuid or setregid; None leaves an id unchanged."""
        new = Ids(self.real if real is None else real, self.effective if effective is None else effective, self.saved)
        if real is None and effective is None:
            return new
        if real is None and self.real is None:
            return Ids(new.real, new.effective, None)
        if real is not None or effective != self.real:
            return Ids(new.real, new.effective, new.effective)
        return new

    def set_three(self, real: int | None, effective: int | None, saved: int | None) -> Ids:
        """Return the ids after setresuid or setresgid, or as getresuid returned them; None leaves an id unchanged."""
        return Ids(
            self.real if real is None else real,
            self.effective if effective is None else effective,
            self.saved if saved is None else saved,
        )


class Groups(msgspec.Struct, frozen=True):
    """The supplementary groups of a process: setgroups(2)."""

    numbers: tuple[int, ...] | None = None
    """None until the trace shows them."""
    set_by: Syscall | None = None
    """The setgroups that set them, made by the process or by an ancestor."""


class Seccomp(msgspec.Struct, frozen=True, gc=False):
    """The latest seccomp filter or mode that a process installed; it cannot be removed: seccomp(2)."""

    call: Syscall
    strict: bool
    """Whether it is strict mode, in which any call but read, write and exit is answered with SIGKILL."""


class Terminal(msgspec.Struct, eq=False):
    """The controlling terminal of a session, if it has one; the processes of the session share it."""

    foreground: int | None = None
    """The foreground process group, as last shown."""
    shown: Syscall | None = None
    """The TIOCGPGRP or TIOCSPGRP that showed it: ioctl_tty(2)."""


class Limit(msgspec.Struct, frozen=True):
    """A resource limit; None means unlimited."""

    soft: int | None
    hard: int | None
    call: Syscall
    """The call that read or set it."""
