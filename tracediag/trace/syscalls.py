"""The calls of a trace, and what every record of it has: its line, its pid and its time.

None of the events can be part of a reference cycle, so the garbage collector skips them (`gc=False`): with millions of
events its passes would take a quarter of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from tracediag.trace.errnos import RESTARTS
from tracediag.trace.flags import has_flag
from tracediag.trace.numbers import checked_integer
from tracediag.trace.parameters import position
from tracediag.trace.stacks import Frame
from tracediag.trace.values import Value, number_of, text_of

Parser = Callable[[str], tuple[Value, ...]]
"""Parses the text between a call's parentheses into values; never raises, see `tracediag.parsing`."""


_LEADING = re.compile(r"-?[0-9]{1,20}+(?![*\w])").match
_THIRD = re.compile(r"\w++(?><[^<>]*+>)?, \w++(?><[^<>]*+>)?, (-?[0-9]{1,20}+)(?=[,<]|$)").match
"""The third argument, after two plain ones: the descriptor of epoll_ctl, the second one of copy_file_range."""
_SECOND = re.compile(r'[\w-]++(?><[^<>"\\]*+>)?+, "([^"\\]*+)"(?=,|$)').match
"""The path after a directory: a string without escapes and whole."""
_FEW = {f"{number}{end}": number for number in range(100) for end in (",", "<")} | {str(n): n for n in range(10)}
"""Small descriptors as printed at the start of the arguments: a lookup takes a quarter of the time of a match."""


_BRIEF = 80
"""Characters of a record in its repr."""


class Event(msgspec.Struct, kw_only=True, gc=False):
    """One record of the trace: its line, its pid and its time."""

    line: int
    pid: int | None = None
    time: float | None = None
    """Seconds: since the epoch (`-ttt`), midnight (`-t`, `-tt`) or the start (`-r`); None without times."""
    stack: tuple[Frame, ...] = ()
    """Where in the program the thread was, the innermost frame first; () unless recorded with `strace -k`."""

    def __repr__(self) -> str:
        pid = "" if self.pid is None else f" pid {self.pid}"
        text: str = getattr(self, "text", "")
        shown = text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"
        return f"<{type(self).__name__} line {self.line}{pid}: {shown!r}>"


class Call(Event, kw_only=True, gc=False):
    """The common part of a complete call and its first half: the name, and the arguments so far."""

    name: str
    body: str
    """The text of the arguments; its constants are named, even if the recording shows their numbers."""
    parser: Parser
    recorded: str = ""
    """The text of the arguments as recorded; "" if it is the same."""
    _args: tuple[Value, ...] | None = None

    @property
    def args(self) -> tuple[Value, ...]:
        """The arguments as values, parsed on first use."""
        if self._args is None:
            self._args = self.parser(self.body)
        return self._args

    def arg(self, key: int | str) -> Value | None:
        """Return one argument by its position from 0 or its name, or None if the trace does not show it.

        A name is the manual's, a common one ("fd", "path"), or the one that strace printed before the value.
        """
        args = self._args
        if args is None:
            args = self.args
        if isinstance(key, str):
            place = position(self.name, self.body, len(args), key)
            return None if place is None else args[place]
        return args[key] if key < len(args) else None

    def number(self, key: int | str) -> int | None:
        """Return one argument as a number, or None if it is not a number."""
        # For most calls the first one is the descriptor: it can be read without parsing the rest.
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
        """Return whether a flag is among the arguments: `call.has("O_CREAT")`; text in paths and data does not count.

        Quick: nothing is parsed, and nearly always it takes one search of the text. To test one argument, or to get
        its flags, use `names_of(call.arg("flags"))`.
        """
        return flag in self.body and has_flag(self.body, flag)

    def path(self, key: int) -> str | None:
        """Return one argument as text, or None if it is not a string; the first two are read without parsing the rest.

        An execve may have any number of arguments, and its path is needed at each attempt; rules ask for the path of
        each openat.
        """
        body = self.body
        if key == 0 and body[:1] == '"':
            end = body.find('"', 1)
            if body[end + 1 : end + 2] in ("", ",") and "\\" not in body[:end]:
                return body[1:end]
        elif key == 1 and self._args is None and (second := _SECOND(body)) is not None:
            return second[1]
        found = text_of(self.arg(key))
        return None if found is None else str(found)

    def __getitem__(self, key: int | str) -> Value:
        """Return one argument as `arg` does; raise IndexError or KeyError if the trace does not show it."""
        found = self.arg(key)
        if found is None:
            raise KeyError(key) if isinstance(key, str) else IndexError(key)
        return found

    def __contains__(self, key: int | str) -> bool:
        """Whether the trace shows that argument."""
        return self.arg(key) is not None


class Syscall(Call, kw_only=True, gc=False):
    """A complete system call. One that never returned has `result` None and `returned` False."""

    result: int | None = None
    """The result; -1 with `errno` set; None for `= ?` and for a call that never returned."""
    errno: str | None = None
    """The symbolic error: "EPIPE", "ERESTARTSYS"; None for success."""
    tail: str = ""
    """The text after the arguments, from `=` on, as recorded."""
    detail: str = ""
    """What strace adds to the result: `flags O_RDWR` of F_GETFL, the path of `-y`, `Timeout`."""
    duration: float | None = None
    """Seconds inside the call (`-T`)."""
    end_line: int = 0
    """The line of the second half; `line` itself if the call is on one line."""
    end_time: float | None = None
    """When the second half was printed, in seconds; None if the call is on one line."""
    returned: bool = True
    cut: bool = False
    """Whether the record breaks off within the call, because strace left or the text was cut: it may have returned."""

    @property
    def text(self) -> str:
        """The call as recorded, without pid and time; halves joined."""
        body = self.recorded or self.body
        if self.tail:
            return f"{self.name}({body}) {self.tail}"
        return f"{self.name}({body})" if self.returned else f"{self.name}({body} <unfinished ...>"

    @property
    def failed(self) -> bool:
        """Whether the call returned an error."""
        return self.errno is not None

    @property
    def interrupted(self) -> bool:
        """Whether a signal interrupted the call: EINTR or one of the kernel's internal ERESTART codes."""
        return self.errno == "EINTR" or self.errno in RESTARTS


class Begun(Call, kw_only=True, gc=False):
    """The first half of a call: the thread is now inside it."""

    @property
    def text(self) -> str:
        """The half as recorded, without pid and time."""
        return f"{self.name}({self.recorded or self.body} <unfinished ...>"
