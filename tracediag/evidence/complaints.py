"""The messages that a program writes to fd 2, and whether they name a failed call: its error, path or name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

import msgspec

from tracediag.evidence.cut_words import SHORTEST, begins, path_begins
from tracediag.evidence.pieces import BURST, Piece, gathered
from tracediag.kernel.calls.transfer import FAILURE
from tracediag.kernel.process import Process
from tracediag.kernel.socket import format_address
from tracediag.results.findings import Step, step
from tracediag.trace.calls import POSITIONED, READS, WRITES
from tracediag.trace.errnos import find_errno
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message, Remark
from tracediag.trace.values import text_of

_ADDRESSED = frozenset({"connect", "bind", "sendto"})
_DATA = READS | WRITES | POSITIONED
"""Calls with a text that is data and names nothing."""
_SYMLINKS = frozenset({"symlink", "symlinkat"})
"""Calls whose first text becomes the content of a link: the kernel looks up only the path after it."""
_DIRECTLY = 2
"""Lines from a failed call to a message that is about it, whatever it says."""
_OBJECT = lazy_pattern(r": *+[^\s:][^:\n]*+: *+\Z")
"""What stands between the name of the program and the error: the object, where a program names it."""
_LIBRARY = lazy_pattern(r"lib([^/]{1,200})\.(?:so|a)")
"""The file of a library, which linkers call `-lNAME`."""
_QUOTED = lazy_pattern(
    "(?<!File )(?<![\\w])['\"`\u2018\u201c]([^'\"`\u2018\u2019\u201c\u201d\n]{2,200})['\"\u2019\u201d]"
)
"""A name in quotes; not that of the file in a Python traceback."""


class Complaint(msgspec.Struct, eq=False):
    """The writes of a program to fd 2 or a dup of it, and its words between the records. False if there are none.

    The earliest is first. Programs write in pieces: glibc's error(3) writes the name, the text and the newline.
    """

    calls: tuple[Message, ...]
    program: str = ""
    """The program's own name, with which it begins its messages."""
    _pieces: tuple[Piece, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self.calls)

    @property
    def first(self) -> Message | None:
        """The first write."""
        return self.calls[0] if self.calls else None

    @property
    def last(self) -> Message | None:
        """The last write."""
        return self.calls[-1] if self.calls else None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The texts of the writes, as far as strace shows them; parsed on first use."""
        if self._pieces is None:
            self._pieces = tuple(gathered(self.calls))
        return self._pieces

    @property
    def text(self) -> str:
        """The pieces joined."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def messages(self) -> tuple[Complaint, ...]:
        """The individual messages: writes in close succession belong to one message."""
        groups: list[list[Message]] = []
        for call in self.calls:
            if groups and call.line - groups[-1][-1].line <= BURST:
                groups[-1].append(call)
            else:
                groups.append([call])
        return tuple(Complaint(tuple(group)) for group in groups)

    @property
    def withheld(self) -> Message | None:
        """The first write of which strace shows no text, as with `-s 0`: what it says is not known."""
        pieces = self.pieces
        shown = any(len(piece.text) >= SHORTEST or not piece.shortened for piece in pieces)
        return None if shown or not pieces else pieces[0].call

    def after(self, line: int) -> Complaint:
        """Return the writes after a line."""
        calls = tuple(call for call in self.calls if call.line > line)
        return self if len(calls) == len(self.calls) else Complaint(calls, self.program)

    def says(self, *words: str) -> Message | None:
        """Return the first write that contains one of these words, ignoring case; None if none does."""
        return next((piece.call for piece in self.pieces if any(word in piece.text.lower() for word in words)), None)

    def tells_failure(self, call: Syscall) -> Message | None:
        """Return the write directly after a failed call that speaks of a failure, in whatever words."""
        first = self.first
        near = first is not None and 0 < first.line - max(call.line, call.end_line) <= _DIRECTLY
        return first if near and FAILURE.search(self.messages[0].text) is not None else None

    def names_error(self, errno: str) -> Message | None:
        """Return the write with the error's text, name or number, even if strace truncated it; None if none has it."""
        pattern, text = _pattern(errno), _text(errno)
        for piece in self.pieces:
            if pattern.search(piece.text) or (piece.shortened and begins(piece.text, text)):
                return piece.call
        joined = (message for message in self.messages if len(message.pieces) > 1)
        return next((message.last for message in joined if pattern.search(message.text)), None)

    def names_other(self, errno: str) -> bool:
        """Whether a message puts an object before the error's text, as in `scp: c: No such file or directory`."""
        return any(_OBJECT.search(message.text, 0, message.error_at(errno)) for message in self.messages)

    def quotes_other(self, call: Syscall) -> bool:
        """Whether the lines that speak of a failure put other names than the call's object in quotes."""
        lines = (line for message in self.messages for line in message.text.splitlines())
        quoted = [
            name
            for line in lines
            if FAILURE.search(line) is not None or _pattern(call.errno or "").search(line) is not None
            for name in _QUOTED.findall(line)
        ]
        path = target(call) or ""
        return bool(quoted) and not any(name in path or posixpath.basename(path.rstrip("/")) in name for name in quoted)

    def error_at(self, errno: str) -> int:
        """Return where the error's text begins in this message, also if strace shows only its beginning; else 0."""
        found = _pattern(errno).search(self.text)
        if found is not None:
            return found.start()
        return self.text.rfind(":") + 1 if self.names_error(errno) else 0

    def names_object(self, call: Syscall) -> Message | None:
        """Return the write that names the object of a call, or the call itself, as in `bind() failed`.

        Where strace cuts the text within a name, its beginning is enough, unless a line quotes another name.
        """
        wanted = [name for name in _names(call) if len(name) >= SHORTEST]
        said = self.text
        spoken = _spoken([name for name in wanted if name in said], self.program)
        itself = _itself(call.name) if call.name in said else None
        for piece in self.pieces:
            if (spoken is not None and spoken.search(piece.text)) or (itself is not None and itself.search(piece.text)):
                return piece.call
            if piece.shortened and path_begins(piece.text, wanted) and not self.quotes_other(call):
                return piece.call
        return None


def said_by(process: Process, after: int = 0) -> Complaint:
    """Return the writes of a process after a line, of those that the model keeps."""
    program = posixpath.basename(process.program or "")
    return Complaint(tuple(call for call in process.messages if call.line > after), program)


def report_step(write: Message, *, named: bool = True, subject: str = "program") -> Step:
    """Return the step for a write to fd 2.

    Args:
        write: the write.
        named: whether it names the error in question; if not, it is only the next message.
        subject: the writer: "program", "child", "parent".
    """
    if isinstance(write, Remark):
        return step(write, f"the {subject} {'reports the error' if named else 'prints this'}")
    number = write.number(0)
    where = "fd 2" if number is None else f"fd {number}"
    return step(write, f"the {subject} {f'reports the error on {where}' if named else f'writes this to {where}'}")


def _itself(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(name)}(?=\(|:| failed| error|$)")


def _spoken(names: list[str], program: str) -> re.Pattern[str] | None:
    """Return what finds one of the names as a word of its own, but not the program's own name before a colon."""
    if not names:
        return None
    words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    own = rf"(?!\A{re.escape(program)}(?:\[\d+\])?:)" if program else ""
    return re.compile(rf"(?<![\w-]){own}(?:{words})(?![\w-])")


def _names(call: Syscall) -> Iterator[str]:
    name = target(call)
    if name is not None:
        yield name
        base = name.rstrip("/").rpartition("/" if "/" in name else ":")[2]
        yield base
        library = _LIBRARY.fullmatch(base)
        if library is not None:
            yield f"-l{library[1]}"


def target(call: Syscall) -> str | None:
    """Return the path or socket address that the call names."""
    if call.name in _ADDRESSED:
        return format_address(call.arg(4 if call.name == "sendto" else 1))
    if call.name in _DATA:
        return None
    texts = (text_of(arg) for arg in call.args[call.name in _SYMLINKS : 4])
    return next((str(text) for text in texts if text is not None and text.data), None)


def _text(errno: str) -> str:
    found = find_errno(errno)
    return errno if found is None else found.text


@cache
def _pattern(errno: str) -> re.Pattern[str]:
    found = find_errno(errno)
    if found is None:
        return re.compile(rf"\b{re.escape(errno)}\b")
    number = found.number
    return re.compile(
        rf"{re.escape(found.text)}|\b{errno}\b|\berr(?:no|or)?[ =:]{{1,2}}{number}\b|\({number}: |\[errno {number}\]",
        re.IGNORECASE,
    )


def meaning(errno: str) -> str:
    """Return the text of the error within a sentence: "connection refused"."""
    text = _text(errno)
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
