"""What a trace says, one object a record: the currency between reading, kernel and rules.

    Event
     +-- Syscall        a whole call, its two halves joined
     +-- Begun          the first half of a call, told at once; the whole call follows when it returns
     +-- Signal         a signal delivered
     +-- Stop           a ptrace stop: the process stands still
     +-- Exit           a thread or process ended
     +-- Superseded     a thread was replaced by another one's execve
     +-- Notice         a message of strace itself
     +-- Elision        `...`: whoever pasted the trace left lines out
     +-- Other          a line that belongs to the trace but says nothing of the process
     +-- NotUnderstood  a line that is no form of strace output known here

None of them can be part of a reference cycle, so the garbage collector is told to leave them alone (`gc=False`): with
millions of events its visits would take a quarter of the time.

Lines are 1-based. Times and durations are seconds. A pid is None where the line shows none.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from tracediag.trace.flags import has_flag
from tracediag.trace.numbers import checked_integer
from tracediag.trace.parameters import position
from tracediag.trace.values import Value, number_of, text_of

Parser = Callable[[str], tuple[Value, ...]]
"""Turns the text between a call's parentheses into values; raises nothing, see `tracediag.parsing`."""


_SENDER = re.compile(r"\bsi_pid=([0-9]{1,10}+)")
_LEADING = re.compile(r"-?[0-9]{1,20}+(?![*\w])").match
_THIRD = re.compile(r"\w++(?><[^<>]*+>)?, \w++(?><[^<>]*+>)?, (-?[0-9]{1,20}+)(?=[,<]|$)").match
"""The third argument, behind two plain ones: the descriptor of epoll_ctl, the second one of copy_file_range."""
_FEW = {f"{number}{end}": number for number in range(100) for end in (",", "<")} | {str(n): n for n in range(10)}
"""Small descriptors as they stand at the head of the arguments: to look one up takes a quarter of a match."""


_BRIEF = 80
"""Characters of a record in its repr."""


class Event(msgspec.Struct, kw_only=True, gc=False):
    """One record of the trace: where it stands, whose it is and when it was."""

    line: int
    pid: int | None = None
    time: float | None = None
    """Seconds: since the epoch (`-ttt`), midnight (`-t`, `-tt`) or the start (`-r`); None without times."""

    def __repr__(self) -> str:
        whose = "" if self.pid is None else f" pid {self.pid}"
        text: str = getattr(self, "text", "")
        shown = text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"
        return f"<{type(self).__name__} line {self.line}{whose}: {shown!r}>"


class Call(Event, kw_only=True, gc=False):
    """What a whole call and its first half have in common: the name, and the arguments so far."""

    name: str
    body: str
    """The text of the arguments, as recorded."""
    parser: Parser
    _args: tuple[Value, ...] | None = None

    @property
    def args(self) -> tuple[Value, ...]:
        """The arguments as values, parsed when first asked for."""
        if self._args is None:
            self._args = self.parser(self.body)
        return self._args

    def arg(self, key: int | str) -> Value | None:
        """Return one argument by its position from 0 or its name, or None where the trace shows none such.

        A name is that of the manual, an everyday one ("fd", "path"), or what strace printed before the value.
        """
        args = self._args
        if args is None:
            args = self.args
        if isinstance(key, str):
            place = position(self.name, self.body, len(args), key)
            return None if place is None else args[place]
        return args[key] if key < len(args) else None

    def number(self, key: int | str) -> int | None:
        """Return one argument as a number, or None where it is none."""
        # The first one is the descriptor of most calls: it can be told without parsing the rest.
        if key == 0:
            body = self.body
            if (few := _FEW.get(body[:2])) is not None or (few := _FEW.get(body[:3])) is not None:
                return few
            if (leading := _LEADING(body)) is not None:
                return checked_integer(leading[0])
        elif key == 2 and self._args is None and (third := _THIRD(self.body)) is not None:
            return checked_integer(third[1])
        return number_of(self.arg(key))

    def has(self, flag: str) -> bool:
        """Return whether a flag stands among the arguments: `call.has("O_CREAT")`; text in paths and data is none.

        Quick: nothing is parsed, and nearly always it takes one search of the text. To ask one argument, and to get the
        flags of it, take `names_of(call.arg("flags"))`.
        """
        return flag in self.body and has_flag(self.body, flag)

    def path(self, key: int) -> str | None:
        """Return one argument as text, or None where it is no string; the first is told without parsing the rest.

        The arguments of an execve are as many as somebody has written, and its path is asked for at each attempt.
        """
        body = self.body
        if key == 0 and body[:1] == '"':
            end = body.find('"', 1)
            if body[end + 1 : end + 2] in ("", ",") and "\\" not in body[:end]:
                return body[1:end]
        found = text_of(self.arg(key))
        return None if found is None else str(found)

    def __getitem__(self, key: int | str) -> Value:
        """Return one argument as `arg` does; raise IndexError or KeyError where the trace shows none such."""
        found = self.arg(key)
        if found is None:
            raise KeyError(key) if isinstance(key, str) else IndexError(key)
        return found

    def __contains__(self, key: int | str) -> bool:
        """Whether the trace shows that argument."""
        return self.arg(key) is not None


class Syscall(Call, kw_only=True, gc=False):
    """A whole system call. One that never returned has `result` None and `returned` False."""

    result: int | None = None
    """The result; -1 with `errno` set; None for `= ?` and for a call that never returned."""
    errno: str | None = None
    """The symbolic error: "EPIPE", "ERESTARTSYS"; None for success."""
    tail: str = ""
    """All that stands behind the arguments, from `=` on, as recorded."""
    detail: str = ""
    """What strace adds to the result: `flags O_RDWR` of F_GETFL, the path of `-y`, `Timeout`."""
    duration: float | None = None
    """Seconds inside the call (`-T`)."""
    end_line: int = 0
    """The line of the second half; `line` itself where the call stands on one line."""
    end_time: float | None = None
    """When the second half was printed, seconds; None where the call stands on one line."""
    returned: bool = True

    @property
    def text(self) -> str:
        """The call as recorded, without pid and time; halves joined."""
        if self.tail:
            return f"{self.name}({self.body}) {self.tail}"
        return f"{self.name}({self.body})" if self.returned else f"{self.name}({self.body} <unfinished ...>"

    @property
    def failed(self) -> bool:
        """Whether the call returned an error."""
        return self.errno is not None

    @property
    def interrupted(self) -> bool:
        """Whether a signal broke into the call: EINTR or one of the kernel's own ERESTART codes."""
        return self.errno is not None and (self.errno == "EINTR" or self.errno.startswith("ERESTART"))


class Begun(Call, kw_only=True, gc=False):
    """The first half of a call: the thread is now inside it."""

    @property
    def text(self) -> str:
        """The half as recorded, without pid and time."""
        return f"{self.name}({self.body} <unfinished ...>"


class Record(Event, kw_only=True, gc=False):
    """A record that is no call: its text as recorded, without pid and time."""

    text: str


class Signal(Record, kw_only=True, gc=False):
    """A signal delivered: `--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=7} ---`."""

    name: str
    info: str = ""
    """The siginfo between the braces, as recorded; "" in the form of strace 4.5."""

    @property
    def sender(self) -> int | None:
        """The pid that sent it (si_pid); None where the kernel did, or where it is not shown."""
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


class Superseded(Record, kw_only=True, gc=False):
    """`+++ superseded by execve in pid N +++`: execve in another thread took this pid over."""

    by: int


class Notice(Record, kw_only=True, gc=False):
    """A message of strace's own: attached, detached, a change of personality, a warning."""

    kind: str
    """"attached", "detached" or "message"."""
    subject: int | None = None
    """The pid spoken of, where there is one."""


class Elision(Record, kw_only=True, gc=False):
    """`...`: lines were left out here, by whoever posted the trace."""


class Other(Record, kw_only=True, gc=False):
    """A line accounted for but silent: blank, stack frame, hex dump, row of a table, prompt, split half."""

    kind: str
    """"blank", "frame", "dump", "summary", "prompt", "continuation", "output", "remark", "tip", "remark", "tip"."""


class NotUnderstood(Record, kw_only=True, gc=False):
    """A line that is no known form of strace output."""
