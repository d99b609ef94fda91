"""The question that a program asked before it waits for input: the last words on its terminal.

A program asks on /dev/tty, on another name of its terminal, or on fd 1 or 2, and reads the answer there or from fd 0.
Where the trace began after the question, nothing is said of one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.pieces import BURST, pieces_of
from tracediag.evidence.waits import Standing
from tracediag.kernel.descriptor import Kind, OpenFile
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

TERMINALS = ("/dev/tty", "/dev/pts", "/dev/console")
"""How the paths of terminals begin: pty(7), tty(4)."""
_CONTROLLING = "/dev/tty"
"""The name of the terminal of the session, whatever else it is called."""
_STDIN, _STANDARD = 0, (1, 2)
_MANY = 256
"""Descriptors of a process that are searched for terminals."""
_PARTS = 64
"""Writes to fd 2 that are joined to one question."""
_LONGEST, _SHORTEST = 100, 2
"""Characters of a question."""
_STYLE = lazy_pattern(r"\x1b(?:\[[0-9;?]{0,16}+[A-DGJKhlmn]|\][^\x07\x1b]{0,256}+(?:\x07|\x1b\\)|[=>78])|\x07|\r")
"""Colours, titles, moves within a line, bracketed paste: what prompts contain."""
_FULL_SCREEN = ("\x1b[?1049h", "\x1b[?47h")
_ENDS = (("?", ":"), ("?", ":", ">", "]", ")", "$", "#", "%"))
"""How a question ends: on a line of its own, and in front of the answer."""
_ASKS = lazy_pattern(r"\?|[(\[](?:[Yy]|yes)[/,)]|(?i:\bpass(?:word|phrase|code)\b|\benter\b)")
"""What makes words a question whose end strace does not show."""


class Question(msgspec.Struct, frozen=True):
    """What a program asked, and where."""

    text: str
    """The last line of its words, shortened."""
    call: Syscall
    """The write that ends it."""
    terminal: bool
    """Whether the answer is read from what is known to be a terminal."""

    @property
    def awaited(self) -> str:
        """What the program waits for: `an answer on the terminal to "Password: " (line 12)`."""
        where = " on the terminal" if self.terminal else ""
        return f'an answer{where} to "{self.text}" (line {self.call.line:,})'


def is_terminal(file: OpenFile) -> bool:
    """Whether an open file is known to be a terminal, by its path or because it answered as one."""
    return file.terminal or (file.path or "").startswith(TERMINALS)


def question_for(standing: Standing, file: OpenFile) -> Question | None:
    """Return the question whose answer a thread waits for when it reads an open file; None if the trace shows none."""
    terminal = is_terminal(file)
    if not terminal and (file.kind is not Kind.UNKNOWN or standing.process.table.file_of(_STDIN) is not file):
        return None
    screens = list(dict.fromkeys(_screens(standing, file)))
    written = max((one.written for one in screens if one.written is not None), key=lambda call: call.line, default=None)
    answer = max((one.got for one in screens if one.got is not None), key=lambda call: call.line, default=None)
    if written is None or (answer is not None and answer.line > written.line):
        return None
    on_own = file.written is written and file.path == _CONTROLLING
    text = _asked(standing, written, answer, sure=on_own)
    return None if text is None else Question(text, written, terminal)


def _screens(standing: Standing, file: OpenFile) -> Iterator[OpenFile]:
    """Yield what may be the terminal that is read, under all its numbers."""
    table = standing.process.table
    yield file
    files = [table.file_of(number) for number in _STANDARD]
    files += [held.file for held in standing.released if held.number in _STANDARD]
    for one in files:
        if one is not None and (one.kind is Kind.UNKNOWN or is_terminal(one)) and _is_same(one, file):
            yield one
    for held in [*table.open.values(), *standing.released][:_MANY]:
        if is_terminal(held.file) and _is_same(held.file, file):
            yield held.file


def _is_same(one: OpenFile, other: OpenFile) -> bool:
    """Whether two descriptions may be of one terminal: no two known names differ, /dev/tty is one of any terminal."""
    paths = {one.path, other.path} - {None, _CONTROLLING}
    return len(paths) < 2


def _asked(standing: Standing, written: Syscall, answer: Syscall | None, *, sure: bool) -> str | None:
    """Return the last line that was written, if it is a question."""
    pieces = [piece for call in _message(standing, written, answer) for piece in pieces_of(call)]
    shown, cut = "".join(piece.text for piece in pieces), bool(pieces) and pieces[-1].shortened
    if any(sign in shown for sign in _FULL_SCREEN):
        return None
    lines = _STYLE.sub("", shown).rstrip("\n").split("\n")
    line = lines[-1].lstrip()
    if len(line.strip()) < _SHORTEST or not line.isprintable() or _echoes(line, answer):
        return None
    if cut:
        return _shortened(f"{line}…") if sure or _ASKS.search(line) is not None else None
    ends = _ENDS[not shown.endswith("\n")]
    return _shortened(line) if line.rstrip().endswith(ends) else None


def _message(standing: Standing, written: Syscall, answer: Syscall | None) -> list[Syscall]:
    """Return the writes of one message; those to fd 2 come in pieces, and its last ones are known."""
    calls = [written]
    for call in reversed(list(standing.process.messages)[-_PARTS:]):
        if call.line >= written.line or not isinstance(call, Syscall):
            continue
        apart = calls[0].line - call.line > BURST or (answer is not None and call.line < answer.line)
        if apart or call.number(0) != written.number(0) or call.body.partition('", ')[0].endswith("\\n"):
            break
        calls.insert(0, call)
    return calls


def _echoes(line: str, answer: Syscall | None) -> bool:
    """Whether a program only repeats what it has read last, as cat does."""
    return answer is not None and any(line.strip() in piece.text for piece in pieces_of(answer))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
