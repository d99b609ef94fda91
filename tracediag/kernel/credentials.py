"""Who a process is: its users and groups, its process group, session and terminal: credentials(7), setpgid(2)."""

from __future__ import annotations

import msgspec

from tracediag.trace.events import Syscall


class Ids(msgspec.Struct, frozen=True):
    """The user or the group that a process acts as. Each is None where the trace has not shown it."""

    real: int | None = None
    effective: int | None = None
    saved: int | None = None

    def exec(self) -> Ids:
        """Return what is left of it after an execve: the program's file may be set-user-ID: execve(2)."""
        return Ids(self.real)

    def set_one(self, number: int, *, root: bool | None) -> Ids:
        """Return it after setuid or setgid: root sets all three, anybody else the effective one only: setuid(2)."""
        if root is None:
            return Ids(number if self.real == number else None, number, None)
        return Ids(number, number, number) if root else Ids(self.real, number, self.saved)

    def set_two(self, real: int | None, effective: int | None) -> Ids:
        """Return it after setreuid or setregid; None leaves one as it is."""
        new = Ids(self.real if real is None else real, self.effective if effective is None else effective, self.saved)
        if real is None and effective is None:
            return new
        if real is None and self.real is None:
            return Ids(new.real, new.effective, None)
        if real is not None or effective != self.real:
            return Ids(new.real, new.effective, new.effective)
        return new

    def set_three(self, real: int | None, effective: int | None, saved: int | None) -> Ids:
        """Return it after setresuid or setresgid, or after what getresuid has told; None leaves one as it is."""
        return Ids(
            self.real if real is None else real,
            self.effective if effective is None else effective,
            self.saved if saved is None else saved,
        )


class Groups(msgspec.Struct, frozen=True):
    """The other groups of a process: setgroups(2)."""

    numbers: tuple[int, ...] | None = None
    """None where the trace has not shown them."""
    set_by: Syscall | None = None
    """The setgroups that set them, its own or of a process that it comes from."""


class Seccomp(msgspec.Struct, frozen=True, gc=False):
    """The latest seccomp filter or mode that a process put in force; none can be removed again: seccomp(2)."""

    call: Syscall
    strict: bool
    """Whether it is strict mode, in which the kernel answers any call but read, write and exit with SIGKILL."""


class Terminal(msgspec.Struct, eq=False):
    """The controlling terminal of a session, if it has one; its processes share it."""

    foreground: int | None = None
    """The process group that may use it, as last shown."""
    shown: Syscall | None = None
    """The TIOCGPGRP or TIOCSPGRP that told so: ioctl_tty(2)."""
