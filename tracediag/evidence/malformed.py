"""The file of which a program reports that its text is malformed: no call fails, the parser rejects what was read."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator

import msgspec

from tracediag.evidence.complaints import Complaint, said_by
from tracediag.evidence.paths import path_of
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.results.findings import Confidence
from tracediag.trace.events import Syscall
from tracediag.trace.numbers import checked_integer
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message
from tracediag.trace.values import text_of

_MALFORMED = lazy_pattern(
    r"\bsyntax err|\bparse err|\bparsing err|ParseErr|ParserErr|ScannerErr|SyntaxErr|DecodeError|JsonParse"
    r"|MissingSectionHeader|DuplicateOption|DuplicateSection|MissingSectionH|not well-formed|XML declaration"
    r"|Expecting (?:value|property|[\"'],)|Unexpected token|Unexpected (?:non-whitespace|end of JSON)|in JSON at"
    r"|invalid character '|mapping values are not allowed|did not find expected|could not find expected"
    r"|found (?:unexpected|undefined|character)|bad (?:config(?:uration)?|numeric|boolean) |unknown directive"
    r"|(?:unknown|invalid|unsupported|bad) (?:configuration )?(?:option|keyword|directive|key|statement|parameter)\b"
    r"|config(?:uration)? (?:file )?error|can't parse|cannot parse|could not parse|failed to parse|parse failure"
    r"|missing separator|find string terminator|unable to parse|unterminated|unexpected end of file"
    r"|unexpected EOF|malformed",
    re.IGNORECASE,
)
"""Words with which parsers reject a text; the first 32 bytes of a message may be all that strace shows."""
_FORMATS = (
    (".json", ("json", "expecting", "unexpected token")),
    (".yaml", ("yaml", "mapping", "scanner", "parser")),
    (".yml", ("yaml", "mapping", "scanner", "parser")),
    (".toml", ("toml",)),
    (".xml", ("xml", "well-formed", "parseerror")),
    (".ini", ("section", "configparser", "option")),
    (".cfg", ("section", "configparser", "option")),
)
"""What a parser's message says of the format that the end of a name tells."""
_SETTINGS = lazy_pattern(r"\.(?:conf|config|cfg|cnf|ini|json5?|ya?ml|toml|xml|env|properties|csv)$", re.IGNORECASE)
_SURELY = lazy_pattern(
    r"(?:Syntax|Parse|Parser|Scanner|Decode)Err|\b(?:syntax|parse) error\b|MissingSectionH"
    r"|in JSON at|not well-formed|mismatched tag|invalid character '",
    re.IGNORECASE,
)
"""Words that can only be about a text."""
_OF_LIBRARIES = lazy_pattern(
    r"^/etc/(?:(?:nsswitch|host|resolv|gai|ld\.so|locale|idn|krb5|sysctl)\.\w+|[\w-]+)$|^/etc/(?:ssl|fonts|X11)/"
)
"""Settings that libraries read in any program: meant only where a message names them."""
_FRAME = lazy_pattern(r'^\s*(?:File "|at |from /|Traceback )')
"""A frame of a stack: the file that it names is one of the program."""
_PLACE = lazy_pattern(r"\bline:? {1,2}([0-9]{1,9})\b|:([0-9]{1,9})(?::|\)|\s|$)", re.IGNORECASE)
_LONGEST, _LARGEST = 120, 1 << 16
_CUT = "…"


class Malformed(msgspec.Struct, frozen=True):
    """A file, and what the program said after reading it."""

    path: str
    opened: Syscall
    write: Message
    text: str
    """The line of the message that rejects the text."""
    confidence: Confidence


def malformed(process: Process) -> Malformed | None:
    """Return the file that a message rejects: the one that it names, else the last with a name of settings or data."""
    first = min((file.opened.line for file in process.contents if file.opened is not None), default=0)
    for message in reversed(said_by(process, first).messages):
        lines = [line for line in _shown(message).splitlines() if _FRAME.search(line) is None]
        rejects = [line for line in reversed(lines) if _MALFORMED.search(line) is not None]
        rejecting = next((line for line in rejects if place_in(line) is not None), rejects[0] if rejects else None)
        if rejecting is None or message.first is None:
            continue
        words = rejecting.removesuffix(_CUT)
        piece = next((each for each in message.pieces if words in each.text), message.pieces[0])
        read = list(_read_before(process, message.first.line))
        said = "\n".join(lines)
        named = next((each for each in read if _names(said, each[0])), None)
        if named is not None:
            return Malformed(*named, piece.call, _brief(rejecting), Confidence.LIKELY)
        if not _is_about_text(rejecting):
            continue
        own = [each for each in read if _OF_LIBRARIES.search(each[0]) is None]
        alone = own[0] if len(own) == 1 else None
        latest = next((each for each in own if _SETTINGS.search(each[0]) is not None), alone)
        if latest is not None:
            sure = _is_of_format(rejecting, latest[0])
            confidence = Confidence.LIKELY if sure else Confidence.POSSIBLE
            return Malformed(*latest, piece.call, _brief(rejecting), confidence)
    return None


def _shown(message: Complaint) -> str:
    """Return the text of a message, with a mark and a line break where strace cuts it."""
    return "".join(f"{piece.text}{_CUT}\n" if piece.shortened else piece.text for piece in message.pieces)


def rejects_text(process: Process) -> bool:
    """Whether the last message of a process is that a text is malformed, whatever the text."""
    last = said_by(process).messages[-1:]
    return any(_MALFORMED.search(line) is not None and _is_about_text(line)
               for message in last for line in _shown(message).splitlines())  # fmt: skip


def _is_about_text(line: str) -> bool:
    """Whether a line that rejects something names a place in a text, or can only be about a text."""
    return place_in(line) is not None or _SURELY.search(line) is not None


def _read_before(process: Process, line: int) -> Iterator[tuple[str, Syscall]]:
    """Yield the files that a process has read before a line, with the call that opened each; the latest first."""
    started = 0 if process.executed is None else process.executed.line
    for file in reversed(process.contents):
        path, opened = path_of(file, process), file.opened
        if path is None or opened is None or not started < opened.line < line:
            continue
        if _is_input(file, opened) and not _is_well_formed(file, path):
            yield path, opened


def _is_well_formed(file: OpenFile, path: str) -> bool:
    """Whether the last read shows all of a JSON text, and Python's parser accepts that."""
    if file.got is None or not path.lower().endswith(".json"):
        return False
    text = text_of(file.got.arg(1))
    if text is None or text.shortened or len(text.data) > _LARGEST:
        return False
    try:
        json.loads(text.data)
    except (ValueError, RecursionError):
        return False
    return True


def _is_input(file: OpenFile, opened: Syscall) -> bool:
    return file.got is not None and opened.has("O_RDONLY") and not opened.has("O_DIRECTORY")


def _names(said: str, path: str) -> bool:
    """Whether a message names a file, by its path or the last component of it."""
    name = posixpath.basename(path)
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", said) is not None


def _is_of_format(said: str, path: str) -> bool:
    words = next((words for end, words in _FORMATS if path.lower().endswith(end)), ())
    return any(word in said.lower() for word in words)


def place_in(said: str) -> int | None:
    """Return the line of the file that a message names; None if it names none."""
    found = _PLACE.search(said)
    return None if found is None else checked_integer(found[1] or found[2])


def _brief(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
