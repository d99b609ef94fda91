"""Why a program printed a message: the write that printed it, and the failed call, child or peer behind it."""

from __future__ import annotations

import difflib

from tracediag.errors import TracediagError
from tracediag.evidence.blame import failed_calls, find_blame
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.data import chunk_of
from tracediag.overviews.descriptors import line_of, what_of
from tracediag.overviews.sources import kernel_of
from tracediag.overviews.why.answer import Answer
from tracediag.overviews.why.found import Ended, Found, ends_line
from tracediag.overviews.why.words import Match, Stream, Words, lines_of
from tracediag.reading import AnySource, Reader
from tracediag.results.cause import Cause
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Event, Syscall
from tracediag.trace.records import Exit, Message, Remark

_AFTER = 12
"""Lines after the words in which the rest of the message may follow: error(3) writes it in pieces."""
_STREAMS = 1024
_ENDS = 256
_REMEMBERED = 4000
"""Lines of output that are remembered to suggest the nearest one."""
_WORD = 6
"""Characters of a word by which the nearest text is found."""


class NotPrintedError(TracediagError, LookupError):
    """No write of the trace shows the message; the sentence names the nearest text."""


def find_cause(
    trace: AnySource, message: str, progress: Progress | None = None, known: Snapshot | None = None
) -> Cause:
    """Return what is behind a message that a traced program printed; the first time that it did.

    `known` is what /proc showed of the processes; by default the snapshot beside the trace, if there is one.

    Raises:
        UnreadableError: if the trace cannot be read.
        NotPrintedError: if no write shows the message.
    """
    listener, reader = _Listener(message, kernel_of(trace, known)), Reader(trace, progress=progress)
    for event in reader:
        listener.take(event)
    return listener.cause(reader.name, reader.damage)


class _Listener:
    def __init__(self, message: str, kernel: Kernel) -> None:
        self._message = message
        self._words = Words(message)
        self._kernel = kernel
        self._streams: dict[tuple[OpenFile, bool], Stream] = {}
        self._found: Found | None = None
        self._partial: Found | None = None
        self._reads: dict[Process, tuple[Syscall, str]] = {}
        self._ends: dict[Process, Ended] = {}
        self._said: dict[str, int] = {}
        self._cut = 0
        self._times = 0
        self._last: int | None = None

    def take(self, event: Event) -> None:
        """Process the next event."""
        action = apply(self._kernel, event)
        match event:
            case Syscall():
                self._call(event, action)
            case Exit():
                self._exit(event, action.process)
            case Remark():
                self._remark(event)

    def _exit(self, event: Exit, process: Process) -> None:
        if process.exit is event and process.ended_badly and len(self._ends) < _ENDS:
            self._ends[process] = Ended(event, process.program, find_blame(process, event.line))

    def _remark(self, event: Remark) -> None:
        """Take what the program printed between the records."""
        process = self._kernel.process_table.staying.alone()
        self._remember(event.text, event.line)
        if process is None or not self._words.in_text(event.text):
            return
        self._count(event.line)
        if self._found is None:
            self._found = self._snapshot(Match((), complete=True, length=0), process, None, event)

    def _call(self, call: Syscall, action: Action) -> None:
        chunk, held = chunk_of(call), action.descriptor
        if chunk is None or held is None:
            return
        text = b"".join(piece.data for piece in chunk.pieces).decode("utf-8", "replace")
        if not text:
            return
        process = action.process
        if chunk.written:
            self._follow_up(call, held, process)
            self._remember(text, line_of(call))
            self._cut += chunk.missing > 0
        found = self._stream(held.file, chunk.written).take(text, chunk.missing > 0, call)
        if found is None:
            return
        if not chunk.written:
            told = held.file.kind is not Kind.FILE or self._words.is_line(text)
            if found.complete and told and process not in self._reads:
                self._reads[process] = (call, what_of(held.file, process) or f"fd {held.number}")
            return
        self._printed(found, call, held, process)

    def _printed(self, found: Match, call: Syscall, held: Descriptor, process: Process) -> None:
        if found.complete:
            self._count(line_of(call))
            if self._found is None:
                self._found = self._snapshot(found, process, held, *found.calls)
        elif self._partial is None or found.length > self._partial.match.length:
            self._partial = self._snapshot(found, process, held, *found.calls)

    def _count(self, line: int) -> None:
        self._times += 1
        self._last = line

    def _snapshot(self, found: Match, process: Process, held: Descriptor | None, *said: Message) -> Found:
        first = said[0].line
        earlier = [write for write in process.messages if first - _AFTER <= write.line < first and write not in said]
        while any(ends_line(write) for write in earlier):
            del earlier[0]
        return Found(
            match=found,
            process=process,
            descriptor=held,
            failures=failed_calls(process),
            said=[*(earlier if held is None or held.number <= 2 else ()), *said],
            reaped=process.reaped[-1] if process.reaped else None,
            read=self._reads.get(process),
        )

    def _follow_up(self, call: Syscall, held: Descriptor, process: Process) -> None:
        """Add what the program writes directly after the words to the message."""
        for found in (self._found, self._partial):
            if found is None or found.process is not process or found.descriptor is None:
                continue
            near = call.line - found.said[-1].line <= _AFTER and not ends_line(found.said[-1])
            if found.descriptor.file is held.file and near and len(found.said) < _REMEMBERED:
                found.said.append(call)

    def _stream(self, file: OpenFile, written: bool) -> Stream:
        stream = self._streams.get((file, written))
        if stream is None:
            if len(self._streams) > _STREAMS:
                self._streams = {key: kept for key, kept in self._streams.items() if not key[0].gone}
            stream = self._streams[file, written] = Stream(self._words)
        return stream

    def _remember(self, text: str, line: int) -> None:
        if self._found is None:
            for words in lines_of(text[:2000]):
                if len(self._said) < _REMEMBERED:
                    self._said.setdefault(words[:200], line)

    def cause(self, path: str, damage: str | None) -> Cause:
        """Return the answer, after the last event."""
        found = self._found or self._partial
        if found is None:
            raise NotPrintedError(f"{path}: {self._nothing()}")
        return Answer(found, self._ends).cause(
            path, self._message, times=max(self._times, 1), last=self._last, damage=damage
        )

    def _nothing(self) -> str:
        near = difflib.get_close_matches(self._message, list(self._said), n=1, cutoff=0.5)
        near = near or _alike(self._message, self._said)
        nearest = f"; the nearest text, at line {self._said[near[0]]:,}, is {near[0]!r}" if near else ""
        cut = (
            "; strace cut some of the strings (-s), so that it may be in a part that is not shown" if self._cut else ""
        )
        return f"no write shows {self._message!r}{nearest or cut}"


def _alike(message: str, said: dict[str, int]) -> list[str]:
    """Return the text that has most words in common with a message, or else its longest word."""
    wanted = set(message.casefold().split())
    best = max(said, key=lambda text: len(wanted & set(text.casefold().split())), default=None)
    common = 0 if best is None else len(wanted & set(best.casefold().split()))
    if best is not None and 2 * common > len(wanted):
        return [best]
    longest = max((word for word in wanted if len(word) >= _WORD), key=len, default=None)
    return [] if longest is None else [text for text in said if longest in text.casefold()][:1]
