"""TD006: a program reads a file that is there and empty, and then fails."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.blame import find_blame
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step, failed_end, manner
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import path_of
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_process_end
from tracediag.trace.calls import OPENS, READS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message

_ENDS_EARLY = lazy_pattern(
    r"\bempty\b|Expecting value|unexpected (?:end|eof)|premature end|no element found|end of (?:file|input|data|json)"
    r"|line 1,? column (?:0|1)\b|\(char 0\)|no [\"']?\w{1,40}[\"']? section|EOFError|no start line|truncated"
    r"|JSONDecodeError|ParserError|ParseError|SyntaxErr",
    re.IGNORECASE,
)
"""Words with which parsers report that nothing is there."""
_SETTINGS = lazy_pattern(
    r"\.(?:conf|cfg|cnf|ini|json|ya?ml|toml|xml|env|properties|pem|crt|key|csv|sql|lock\.json)$", re.IGNORECASE
)
_OTHERS = lazy_pattern(r"^/(?:usr|lib\w*|proc|sys|dev|run)/|\.(?:py|pth|log|pid|lock)$|/__pycache__/")
"""Files that may be empty, in the places of the system and by their names."""

_FIX = "restore the content of {path}, and find out what has emptied it: ls -l --time-style=full-iso {path} shows when"
_FIX_UNNAMED = "strace -y shows the path of {path}: restore its content, and find out what has emptied it"
_NO_BYTES = lazy_pattern(r"\bst_size=0\b")


class _Empty(msgspec.Struct, frozen=True):
    """A file that was found empty, and what the program said after that."""

    path: str
    seen: Syscall
    """The open, or where the trace begins after that, the call that shows a length of 0 bytes."""
    read: Syscall
    words: Message | None
    confidence: Confidence
    unnamed: str = ""
    """What stands for the path where the trace does not show it."""


class EmptyFileRead(Rule):
    """The first read of a file returns 0 bytes: a program that needs its content then reports that, or fails."""

    code = "TD006"
    name = "empty-file-read"
    severity = Severity.ERROR
    summary = "a program reads a file that is there and empty, and then fails"
    raised_by = (READS,)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge the files that a process has found empty, when it fails."""
        process = end.process
        if process.found_empty and failed_end(process) is not None:
            found = [empty for file in process.found_empty if (empty := _judged(file, process)) is not None]
            sure = [empty for empty in found if empty.confidence is not Confidence.POSSIBLE]
            if sure or (found and find_blame(process, end.line) is None):
                yield self._finding(end, (sure or found)[-1])

    def _finding(self, end: ProcessEnd, empty: _Empty) -> Finding:
        process, path = end.process, empty.path
        ending = failed_end(process)
        ends = "" if ending is None else f" and {manner(ending)}"
        steps = [
            step(empty.seen, f"{path} is opened, and is there" if empty.seen.name in OPENS else f"{path} has 0 bytes"),
            step(empty.read, f"the first read returns 0: {path} is empty", primary=True),
        ]
        if empty.words is not None:
            steps.append(report_step(empty.words))
        if ending is not None:
            steps.append(end_step(ending))
        sure = empty.confidence is not Confidence.POSSIBLE
        said = ", reports that," if empty.words is not None else ""
        return self.finding(
            steps,
            object=path,
            title=f"{path} is empty: {process_name(process)} reads 0 bytes{said}{ends}",
            confidence=empty.confidence,
            severity=Severity.ERROR if sure else Severity.WARNING,
            why="for open and read an empty file is no error: read returns 0 as at the end of any file; a write that"
            " was cut short, a full disk or a redirection > FILE leaves such files: read(2)",
            fix=_FIX.format(path=path) if path != empty.unnamed else _FIX_UNNAMED.format(path=path),
        )


def _judged(file: OpenFile, process: Process) -> _Empty | None:
    """Return a file if what the program said, or the name of the file, suggests that its content was needed."""
    path, read, opened = path_of(file, process), file.at_end, file.opened
    if read is None or file.got is not None or (path is not None and _OTHERS.search(path)):
        return None
    if opened is None:
        return _of_opened_before(file, process, path)
    if path is None:
        return None
    started = 0 if process.executed is None else process.executed.line
    if opened.line < started or opened.has("O_CREAT") or opened.has("O_TRUNC") or not opened.has("O_RDONLY"):
        return None
    said = said_by(process, read.first.line)
    words = _words(said, posixpath.basename(path))
    if words is not None:
        return _Empty(path, opened, read.first, words, Confidence.LIKELY)
    return _Empty(path, opened, read.first, None, Confidence.POSSIBLE) if _SETTINGS.search(path) else None


def _of_opened_before(file: OpenFile, process: Process, path: str | None) -> _Empty | None:
    """Return a file that was opened before the trace: that no data was read earlier is sure if it has 0 bytes."""
    read = None if file.at_end is None else file.at_end.first
    number = None if read is None else read.number(0)
    if read is None or number is None:
        return None
    looks = (look for look in reversed(process.looks) if look.line < read.line and _is_of(look, number))
    look = next(looks, None)
    words = _words(said_by(process, read.line), posixpath.basename(path or ""))
    if look is None or words is None or not look.has("S_IFREG") or _NO_BYTES.search(look.body) is None:
        return None
    unnamed = "" if path is not None else f"the file on fd {number}"
    return _Empty(path or unnamed, look, read, words, Confidence.POSSIBLE, unnamed)


def _is_of(look: Syscall, number: int) -> bool:
    """Whether a call of stat asks about a descriptor."""
    by_number = look.name.startswith("fstat") and look.name not in ("fstatat64", "fstatat")
    return look.number(0) == number and (by_number or look.has("AT_EMPTY_PATH"))


def _words(said: Complaint, name: str) -> Message | None:
    """Return the message that reports that nothing is there, best with the name of the file."""
    found = [message for message in said.messages if _ENDS_EARLY.search(message.text) is not None]
    named = [message for message in found if name in message.text]
    chosen = (named or found)[-1:]
    return next((piece.call for message in chosen for piece in message.pieces if _ENDS_EARLY.search(piece.text)), None)
