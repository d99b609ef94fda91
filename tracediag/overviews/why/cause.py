"""Why a program printed a message: the write that printed it, and the failed call, child or peer behind it."""

from __future__ import annotations

import difflib
import posixpath
import re

import msgspec

from tracediag.errors import TracediagError
from tracediag.evidence.blame import Blame, blame_for, failed_calls, find_blame, harmless
from tracediag.evidence.complaints import Complaint, meaning, target
from tracediag.evidence.exits import end_step, manner
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.process import Process, Reaped
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.data import chunk_of
from tracediag.overviews.descriptors import line_of, time_of, what_of
from tracediag.overviews.sources import kernel_of
from tracediag.overviews.why.words import Match, Stream, Words, lines_of
from tracediag.reading import AnySource, Reader
from tracediag.results.cause import Cause, Origin
from tracediag.results.findings import Step, step
from tracediag.results.grades import Confidence
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Event, Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Message, Remark

_AFTER = 12
"""Lines after the words in which the rest of the message may follow: error(3) writes it in pieces."""
_STREAMS = 1024
_ENDS = 256
_REMEMBERED = 4000
"""Lines of output that are remembered to suggest the nearest one."""
_ABOUT_CHILD = lazy_pattern(
    r"\b(?:exit|status|code|returned|fail(?:ed|ure)?|error|killed|signal|died|terminated)\b", re.IGNORECASE
)
_WORD = 6
"""Characters of a word by which the nearest text is found."""
_NEAR = 15
"""Lines back to a failure that is mentioned although the message does not name it."""


class NotPrintedError(TracediagError, LookupError):
    """No write of the trace shows the message; the sentence names the nearest text."""


class _Found(msgspec.Struct, eq=False):
    """The write that completed the words, and what was known then."""

    match: Match
    process: Process
    descriptor: Descriptor | None
    failures: list[Syscall]
    said: list[Message]
    reaped: Reaped | None
    read: tuple[Syscall, str] | None
    """The call that read the words before, and what from."""


class _Ended(msgspec.Struct, frozen=True):
    """A child that ended badly, and the failed call behind that."""

    end: Exit
    program: str | None
    blame: Blame | None


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
        self._found: _Found | None = None
        self._partial: _Found | None = None
        self._reads: dict[Process, tuple[Syscall, str]] = {}
        self._ends: dict[Process, _Ended] = {}
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
            self._ends[process] = _Ended(event, process.program, find_blame(process, event.line))

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

    def _snapshot(self, found: Match, process: Process, held: Descriptor | None, *said: Message) -> _Found:
        first = said[0].line
        earlier = [write for write in process.messages if first - _AFTER <= write.line < first and write not in said]
        while any(_ends_line(write) for write in earlier):
            del earlier[0]
        return _Found(
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
            near = call.line - found.said[-1].line <= _AFTER and not _ends_line(found.said[-1])
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
        return _Answer(found, self._ends).cause(
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


class _Answer:
    """Finds what is behind the words, and puts it in order."""

    def __init__(self, found: _Found, ends: dict[Process, _Ended]) -> None:
        self._found = found
        self._ends = ends
        program = posixpath.basename(found.process.program or "")
        self._said = Complaint(tuple(found.said), program)

    def cause(self, path: str, message: str, *, times: int, last: int | None, damage: str | None) -> Cause:
        """Return the answer."""
        found = self._found
        write = found.match.calls[-1] if found.match.calls else found.said[-1]
        origin, reason, confidence, steps = self._behind(write)
        if not found.match.complete:
            confidence = Confidence.POSSIBLE if confidence is Confidence.POSSIBLE else Confidence.LIKELY
        steps = sorted(steps, key=_line)
        return Cause(
            path=path,
            message=message,
            line=line_of(write),
            pid=found.process.pid,
            program=found.process.program,
            where=self._where(),
            text=self._said.text.strip(),
            complete=found.match.complete,
            origin=origin,
            reason=reason,
            confidence=confidence,
            steps=tuple(steps),
            times=times,
            last_line=last if times > 1 else None,
            damage=damage,
        )

    def _where(self) -> str:
        held = self._found.descriptor
        if held is None:
            return "the output of the program, between the records"
        what = what_of(held.file, self._found.process)
        return f"fd {held.number}" + (f" = {what}" if what else "")

    def _behind(self, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        found = self._found
        blame = blame_for(found.process, found.failures, self._said)
        if blame is not None and blame.named:
            return self._failed(blame, write)
        ended = None if found.reaped is None or found.reaped.child is None else self._ends.get(found.reaped.child)
        if ended is not None and found.reaped is not None and _ABOUT_CHILD.search(self._said.text):
            return self._child(ended, found.reaped, write)
        if blame is not None:
            return self._failed(blame, write)
        printing = step(write, "the program prints the message", primary=True)
        if found.read is not None:
            call, source = found.read
            reason = f"the text came from {source}: the program read it and printed it"
            return Origin.READ, reason, Confidence.CERTAIN, [step(call, f"the text is read from {source}"), printing]
        near = [call for call in found.failures if write.line - call.line <= _NEAR and not harmless(call)]
        if near:
            call = near[-1]
            reason = f"the message names no failed call; the nearest failure before it: {_failure(call)}"
            before = step(call, "fails shortly before; the message does not name it")
            return Origin.OWN, reason, Confidence.POSSIBLE, [before, printing]
        return Origin.OWN, "no call failed: the text is the program's own", Confidence.LIKELY, [printing]

    def _failed(self, blame: Blame, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        steps = [step(blame.call, f"{_failure(blame.call)}: the message is about this", primary=True)]
        if blame.directory is not None:
            steps.append(step(blame.directory, "the directory from which the relative path starts"))
        if blame.connect is not None:
            steps.append(step(blame.connect, "the connection that failed"))
        steps.append(step(write, "the program prints the message"))
        known = "error and object" if blame.named and self._said.names_object(blame.call) else None
        known = known or ("error" if blame.named else "object" if self._said.names_object(blame.call) else None)
        how = f"the message names its {known}" if known else "the message follows it directly"
        return Origin.FAILED_CALL, f"{_failure(blame.call)}; {how}", blame.confidence, steps

    def _child(self, ended: _Ended, reaped: Reaped, write: Message) -> tuple[Origin, str, Confidence, list[Step]]:
        name = posixpath.basename(ended.program or "") or f"pid {ended.end.pid}"
        steps = [end_step(ended.end, primary=ended.blame is None), step(write, "the program prints the message")]
        learned = step(reaped.call, "the program learns the status of its child")
        steps.append(msgspec.structs.replace(learned, line=line_of(reaped.call), time=time_of(reaped.call)))
        reason = f"its child {name} (pid {ended.end.pid}) {manner(ended.end)}"
        if ended.blame is not None:
            call = ended.blame.call
            steps.append(step(call, f"in the child, {_failure(call)}", primary=True))
            if ended.blame.message is not None:
                steps.append(step(ended.blame.message, "the child reports it"))
            reason += f", because {_failure(call)}"
        return Origin.CHILD, reason, Confidence.LIKELY, steps


def _failure(call: Syscall) -> str:
    """Return a failed call in words: "openat of /etc/x fails with ENOENT (no such file or directory)"."""
    name = target(call)
    errno = call.errno or ""
    return f"{call.name}{f' of {name}' if name else ''} fails with {errno} ({meaning(errno)})"


def _ends_line(write: Message) -> bool:
    """Whether a message is complete with a write."""
    return isinstance(write, Remark) or Complaint((write,)).text.endswith("\n")


def _line(each: Step) -> int:
    return each.line


def _alike(message: str, said: dict[str, int]) -> list[str]:
    """Return the text that has most words in common with a message, or else its longest word."""
    wanted = set(message.casefold().split())
    best = max(said, key=lambda text: len(wanted & set(text.casefold().split())), default=None)
    common = 0 if best is None else len(wanted & set(best.casefold().split()))
    if best is not None and 2 * common > len(wanted):
        return [best]
    longest = max((word for word in wanted if len(word) >= _WORD), key=len, default=None)
    return [] if longest is None else [text for text in said if longest in text.casefold()][:1]
