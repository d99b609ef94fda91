"""What a process said last: on fd 2, to a log, to syslog or the journal, in a reply; pieces joined.

All is read from the model when a process or the trace ends: the last write on each description is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracediag.evidence.complaints import said_by
from tracediag.evidence.pieces import Piece, pieces_of
from tracediag.kernel.calls.transfer import FAILURE
from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.results.overview import Words
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

LONGEST = 300
"""Characters of the words that are kept."""
_STDOUT, _STDERR = 1, 2
_SHORTEST = 3
"""Characters that are words; a shell's prompt has fewer."""
_SEARCHED = 8192
_WORD = lazy_pattern(r"\w")
_LINES = 3
"""Last lines of a write to fd 1: what stands above them is rather data."""
_MANY = 256
"""Descriptors of a process that are searched for logs and sockets."""
_SYSLOG = ("/dev/log", "/run/systemd/journal/")
_LOG = lazy_pattern(r"\.(?:log|err)(?:\.\d+)?$|/logs?/|^/var/log/")
_HTTP = "HTTP/"
_REPLY = lazy_pattern(r"HTTP/[0-9.]{1,3} [45][0-9]{2}(?: [^\r\n]{0,80})?")
_PRIORITY = lazy_pattern(r"<[0-9]{1,3}>(?>[A-Z][a-z]{2} [ 0-9:]{11} )?+")
_JOURNAL = lazy_pattern(r"MESSAGE=([^\n]{1,1000})")
_OPENING = lazy_pattern(r"[\w.+/-]{2,40}+: ")
"""How a message begins that names its program: `curl: (60) SSL certificate problem`."""
_ERROR = lazy_pattern(r"(?:Error|Exception|Interrupt)\b|\b(?i:error|fatal|panic|abort(?:ed|ing)?|failed|denied)\b")
"""A word of a line that names an error: where words are too long to be shown in full, the last such line is kept."""


def last_words(process: Process, *, badly: bool, held: Iterable[Descriptor] = ()) -> Words | None:
    """Return what a process said last; None if it said nothing that the trace shows.

    Args:
        process: the process, at its end or at the end of the trace.
        badly: whether it ended badly: then any words count, elsewhere than on fd 2 only those that tell of a failure.
        held: the descriptors that it had open.
    """
    descriptors = _known(process, held)
    spoken = _on_stderr(process)
    if spoken is not None and (badly is False or _tells(spoken.text)):
        return spoken
    logged = [words for words in _elsewhere(process, descriptors) if badly or _tells(words.text)]
    if logged:
        return max(logged, key=lambda words: words.line)
    killed = process.exit is not None and process.exit.signal is not None
    if spoken is not None or not badly or killed:
        return spoken  # what a killed program wrote to fd 1 is the data that it was at
    return _on_stdout(process, descriptors)


def shortened(text: str) -> str:
    """Return words without blank lines, in at most 300 characters: from the last line that names an error, if any."""
    text = "\n".join(line.rstrip() for line in text[-_SEARCHED:].splitlines() if _WORD.search(line) is not None)
    if len(text) <= LONGEST:
        return text
    at = max((found.start() for found in _ERROR.finditer(text)), default=len(text))
    at = text.rfind("\n", 0, at) + 1 if at < len(text) else at
    if (opened := _OPENING.match(text)) is not None and not text.startswith(opened[0], at):
        at = 0  # what follows the message is advice
    if len(text) - at < LONGEST:
        at = len(text) - LONGEST + 1
        at = text.find("\n", at) + 1 or at
    cut = text[at : at + LONGEST - 2].strip()
    return ("…" if at else "") + cut + ("…" if at + LONGEST - 2 < len(text) else "")


def _tells(text: str) -> bool:
    return FAILURE.search(text) is not None or _ERROR.search(text) is not None


def _known(process: Process, held: Iterable[Descriptor]) -> list[Descriptor]:
    """Return what the process has, or had last, open."""
    known = [*process.table.open.values(), *process.table.last_closed.values(), *held]
    return known[-_MANY:]


def _on_stderr(process: Process) -> Words | None:
    messages = said_by(process).messages
    for message in reversed(messages):
        text = shortened(_joined(message.pieces))
        if len(text) >= _SHORTEST and message.last is not None:
            return Words(text=text, line=message.last.line, to="fd 2")
    return None


def _on_stdout(process: Process, descriptors: Iterable[Descriptor]) -> Words | None:
    for descriptor in descriptors:
        write = descriptor.file.written if descriptor.number == _STDOUT else None
        if write is not None and _by(write, process):
            text = shortened("\n".join(_text(write).splitlines()[-_LINES:]))
            return Words(text=text, line=write.line, to="fd 1") if len(text) >= _SHORTEST else None
    return None


def _elsewhere(process: Process, descriptors: Iterable[Descriptor]) -> Iterator[Words]:
    """Yield what it wrote last to each log, to syslog or the journal, and in a reply with an error status."""
    for descriptor in descriptors:
        file, socket = descriptor.file, descriptor.file.socket
        if socket is not None:
            yield from _through(socket.last_write, socket.peer or "", "a reply to")
            yield from _through(socket.last_read, socket.peer or "", "a reply from")
        elif descriptor.number > _STDERR and file.written is not None and _LOG.search(file.path or "") is not None:
            text = shortened(_text(file.written))
            if text and _by(file.written, process):
                yield Words(text=text, line=file.written.line, to=str(file.path))


def _through(call: Syscall | None, peer: str, what: str) -> Iterator[Words]:
    if call is None:
        return
    if peer.startswith(_SYSLOG):
        text = _text(call)
        journal = _JOURNAL.search(text)
        plain = journal[1] if journal is not None else _PRIORITY.sub("", text, count=1)
        if plain and what.endswith("to"):
            yield Words(text=shortened(plain), line=call.line, to="the journal" if "journal" in peer else "syslog")
    elif _HTTP in call.body and (reply := _REPLY.match(_text(call))) is not None:
        yield Words(text=reply[0].rstrip(), line=call.line, to=f"{what} {peer}" if peer else what.rpartition(" ")[0])


def _by(call: Syscall, process: Process) -> bool:
    """Whether a process made a call; a description may be shared with others."""
    return call.pid == process.pid or any(call.pid == thread.tid for thread in process.threads)


def _text(call: Syscall) -> str:
    return _joined(pieces_of(call))


def _joined(pieces: Iterable[Piece]) -> str:
    """Return the pieces in one text; strace has cut the rest of some, which mostly end a line."""
    return "".join(f"{piece.text}…\n" if piece.shortened else piece.text for piece in pieces)
