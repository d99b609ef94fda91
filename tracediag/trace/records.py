"""What a trace holds beside calls: signals, ends, messages of strace and of others, lines without an event."""

from __future__ import annotations

from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.syscalls import Event, Syscall

_SENDER = lazy_pattern(r"\bsi_pid=([0-9]{1,10}+)")


class Record(Event, kw_only=True, gc=False):
    """A record that is not a call: its text as recorded, without pid and time."""

    text: str


class Signal(Record, kw_only=True, gc=False):
    """A signal delivered: `--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=7} ---`."""

    name: str
    info: str = ""
    """The siginfo between the braces, as recorded; "" in the form of strace 4.5."""

    @property
    def sender(self) -> int | None:
        """The pid of the sender (si_pid); None if the kernel sent it, or if it is not shown."""
        found = _SENDER.search(self.info)
        return (checked_integer(found[1]) or None) if found is not None else None


class Stop(Record, kw_only=True, gc=False):
    """`--- stopped by SIGSTOP ---`."""

    signal: str


class Exit(Record, kw_only=True, gc=False):
    """The end of a thread or process: an exit status, or the signal that killed it."""

    status: int | None = None
    signal: str | None = None
    core_dumped: bool = False
    told: bool = False
    """Whether a shell reports it, and strace does not: see `Remark`."""


class Superseded(Record, kw_only=True, gc=False):
    """`+++ superseded by execve in pid N +++`: execve in another thread took this pid over."""

    by: int


class Notice(Record, kw_only=True, gc=False):
    """A message of strace itself: attached, detached, a change of personality, a warning."""

    kind: str
    """"attached", "detached" or "message"."""
    subject: int | None = None
    """The pid that the message names, if any."""
    threads: int = 1
    """With how many threads that process ran when strace was attached to it."""


class Elision(Record, kw_only=True, gc=False):
    """`...`: lines were left out here by hand."""


class Remark(Record, kw_only=True, gc=False):
    """A line of a shell, the loader or the program: `Killed`, `cat: /etc/shadow: Permission denied`."""

    signal: str | None = None
    """The signal that ended the program, where a shell reports that; None for a message."""
    core_dumped: bool = False

    @property
    def body(self) -> str:
        """The text, as that of a write is in its arguments."""
        return self.text


class Other(Record, kw_only=True, gc=False):
    """A line without an event: blank, stack frame, hex dump, table row, prompt, split half."""

    kind: str
    """"blank", "frame", "dump", "summary", "prompt", "continuation", "output", "remark", "tip"."""


class CountRow(Other, kw_only=True, gc=False):
    """A row of the table that `strace -c` prints: how often a call was made and failed, and its time in all."""

    kind: str = "summary"
    name: str
    calls: int = 0
    errors: int = 0
    nanoseconds: int | None = None
    """None where the table has no such column; CPU time in the kernel, or with `-w` wall-clock time."""


class NotUnderstood(Record, kw_only=True, gc=False):
    """A line of no known form of strace output."""


Message = Syscall | Remark
"""What a program says: a write, or a line of its own between the records."""
