"""The slow path, for any line that the header expression does not match."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.errors import TracediagError
from tracediag.reading.accounting import Counts
from tracediag.reading.assemble import Assembler, is_message
from tracediag.reading.damage import is_known, is_strong, margin_off, repair, repair_weak, scrub
from tracediag.reading.dialect import Dialect
from tracediag.reading.frame import Frame, read_frame
from tracediag.reading.halves import Place, key_of
from tracediag.reading.margins.undoing import CONTINUED
from tracediag.reading.output import WRITERS, is_output, spoken
from tracediag.reading.prefix import Prefix, read_prefix
from tracediag.reading.records import Boilerplate, read_remnant
from tracediag.reading.rests import bare_end, is_rest
from tracediag.reading.result import read_result
from tracediag.reading.speech import Speech
from tracediag.reading.splits import Joined, Split, start_split
from tracediag.reading.strangers import lacks
from tracediag.reading.window import Window
from tracediag.reading.words import read_words
from tracediag.trace.events import Event
from tracediag.trace.records import NotUnderstood, Other, Record


class NotUnderstoodError(TracediagError, ValueError):
    """A line is no known form of strace output, and the reading is strict."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: not understood: {text[:200]}")
        self.line = line
        self.text = text


class SlowPath:
    """Reads lines one by one; every line yields events and is counted."""

    def __init__(self, dialect: Dialect, counts: Counts, assembler: Assembler, *, strict: bool = False) -> None:
        self.split: Split | None = None
        self.dangling = ""
        """The character that ends the text after the last result, if that text continues on the next line."""
        self._dialect = dialect
        self._counts = counts
        self.assembler = assembler
        self.window = Window()
        self._strict = strict
        self._blanks = ""
        """The blanks at the end of the line being read."""
        self._speech = Speech(assembler.joiner)
        self._boilerplate = Boilerplate()

    @property
    def busy(self) -> bool:
        """Whether the next line must come here because it may continue the last one."""
        return self.split is not None or bool(self.dangling) or self._dialect.interrupted

    def read(self, number: int, line: str) -> Iterator[Event]:
        """Yield the events of one line."""
        if line == CONTINUED:
            yield self._book(Other(line=number, text="", kind="continuation"))
            return
        text = line.rstrip()
        self._blanks = line[len(text) :]
        prefix = read_prefix(text, self._dialect.bare)
        frame = read_frame(text[prefix.end :])
        if frame is not None and not is_known(frame) and self._is_strange(prefix, frame):
            frame = None
        if frame is not None and frame.kind == "open" and len(line) == self._dialect.width:
            frame.cut = True
        if frame is not None and is_strong(frame) and (self.split is None or is_known(frame)):
            yield from self._accept(number, prefix, frame)
        elif (joined := self._join(text)) is not None:
            yield from self._complete(number, line, joined)
        else:
            yield from self._look_closer(number, line, prefix, frame)

    def _is_strange(self, prefix: Prefix, frame: Frame) -> bool:
        """Return whether a line with an unknown name is the program's own output."""
        return frame.name in self._dialect.strangers or lacks(prefix, self._dialect)

    def finish(self) -> Iterator[Event]:
        """Yield the remaining events at the end of the trace."""
        yield from self.release()
        yield from self.assembler.joiner.give_up_all()

    def release(self) -> Iterator[Event]:
        """Yield a call that breaks off: the lines after it do not belong to it."""
        split, self.split = self.split, None
        if split is None:
            return
        if split.frame.kind == "resultless":
            yield from self.assembler.resultless(split.place, split.frame)
        elif split.frame.kind == "open rest":
            yield from self.assembler.resume(split.place, split.frame.name, split.text, "")
        for held in split.held:
            if held.record is None:
                yield from self._foreign(held.line, held.text)
            else:
                yield from self.assembler.record(Place(held.line), held.record)

    def _look_closer(self, number: int, line: str, prefix: Prefix, frame: Frame | None) -> Iterator[Event]:
        """Read a line that is not certainly an strace record and does not complete one."""
        if self._speech.goes_on and frame is None and self._speech.takes(line):
            yield self._book(Other(line=number, text=line, kind="output"))
            return
        record = None if frame is not None and is_known(frame) else self._boilerplate.read(line)
        if record is not None and (self.split is None or (isinstance(record, Other) and record.kind != "blank")):
            yield from self.release()
            yield from self.assembler.record(Place(number), record)
            return
        if record is None and (found := repair(line, self._dialect.bare)) is not None:
            yield from self._accept(number, found[1], found[2], cleaned=True)
            return
        if frame is not None and is_known(frame):
            yield from self._accept(number, prefix, frame)
            return
        record = record or read_remnant(line)
        if self._dangling_end(line, record):
            yield self._book(Other(line=number, text=line, kind="continuation"))
        elif self.split is not None and self.split.hold(number, line, record):
            return
        elif record is not None:
            yield from self.release()
            yield from self.assembler.record(Place(number), record)
        elif self.split is None and (end := bare_end(line.rstrip(), number, self.assembler.joiner)) is not None:
            yield from self.assembler.take(*end)
        elif is_rest(line.rstrip()):
            self._counts.orphan()
            yield Other(line=number, text=line, kind="continuation")
        elif (found := repair_weak(line, self._dialect.bare)) is not None:
            yield from self._accept(number, found[1], found[2], cleaned=True)
        else:
            yield from self.release()
            yield from self._foreign(number, line)

    def _accept(self, number: int, prefix: Prefix, frame: Frame, *, cleaned: bool = False) -> Iterator[Event]:
        """Yield the events of a line that is a record."""
        if not is_message(frame.record):
            yield from self.release()
        if prefix.pid is not None:
            self._dialect.has_pids = True
        place = self.assembler.place(number, prefix)
        self.dangling = ""
        if frame.kind in {"open", "open rest", "resultless"}:
            yield from self._break_off(place, frame, cleaned=cleaned)
            return
        if frame.kind in {"call", "rest"}:
            result = read_result(frame.tail)
            self.dangling = "" if result is None else result.closer
        yield from self.assembler.take(place, frame)

    def _break_off(self, place: Place, frame: Frame, *, cleaned: bool) -> Iterator[Event]:
        """Begin a call that may continue on a later line."""
        found = None
        if frame.kind == "open" and frame.name not in WRITERS:
            found = spoken(frame.body, self.assembler.joiner.latest())
        if found is not None:
            frame.body = frame.body.removesuffix(found[1])
        self.split = start_split(place, frame, self._blanks, cleaned=cleaned)
        if found is not None:
            self.split.speaker, self.split.shown = found
        if not self.split.ended:
            self._counts.open += 1
            self._counts.opened = place.line
        self._counts.add({"open": "begun", "resultless": "call"}.get(frame.kind, "resumed"))
        if frame.kind == "open":
            yield from self.assembler.begin(place, frame)
        elif frame.glued is not None:
            frame.glued.line = place.line
            yield frame.glued

    def _join(self, text: str) -> Joined | None:
        split = self.split
        if split is None:
            return None
        return split.join(text) or (split.join(margin_off(scrub(text))) if split.cleaned else None)

    def _complete(self, number: int, line: str, joined: Joined) -> Iterator[Event]:
        """Yield the call that a line completes; the lines held back before it are part of it or program output."""
        split, self.split = self.split, None
        if split is None:
            return
        self._counts.open -= not split.ended
        filled = split.fill(line, joined)
        for held in split.held:
            if filled:
                yield self._book(Other(line=held.line, text=held.text, kind="output"))
            elif held.record is not None:
                yield from self.assembler.record(Place(held.line), held.record)
            else:
                kind = "continuation" if joined.wrapped or split.frame.name not in WRITERS else "output"
                yield self._book(Other(line=held.line, text=held.text, kind=kind))
        yield self._book(Other(line=number, text=line, kind="continuation"))
        if joined.how == "marked":
            yield from self._mark(split, joined)
        else:
            yield from self._end(number, split, joined)

    def _mark(self, split: Split, joined: Joined) -> Iterator[Event]:
        half = self.assembler.joiner.pending.get(key_of(split.place.pid))
        if half is not None and half.line == split.place.line:
            half.body = joined.body
        elif split.frame.kind == "resultless":
            frame = Frame(kind="begun", name=split.frame.name, body=joined.body)
            yield from self.assembler.begin(split.place, frame)

    def _end(self, number: int, split: Split, joined: Joined) -> Iterator[Event]:
        result = read_result(joined.tail)
        self.dangling = "" if result is None else result.closer
        if split.frame.kind == "resultless" and result is not None:
            for event in self.assembler.complete(split.place, split.frame.name, joined.body, joined.tail, result):
                event.end_line = number if event.line == split.place.line else event.end_line
                yield event
            return
        rest = joined.body
        half = self.assembler.joiner.pending.get(key_of(split.place.pid))
        if split.frame.kind == "open" and half is not None:
            half.body, rest = joined.body, ""
        place = Place(number, split.place.pid, split.place.time if split.frame.kind == "open rest" else None)
        yield from self.assembler.resume(place, split.frame.name, rest, joined.tail)

    def _dangling_end(self, line: str, record: Record | None) -> bool:
        if not self.dangling or record is not None:
            return False
        closer, self.dangling = self.dangling, ""
        return line.rstrip(" ,;" if closer == ">" else " ,;>").endswith(closer)

    def _book(self, record: Other) -> Record:
        self._counts.add(record.kind)
        return record

    def _foreign(self, number: int, line: str) -> Iterator[Event]:
        """Read a line that strace did not write."""
        if self._speech.takes(line) or is_output(line, self.window.near(number)):
            yield self._book(Other(line=number, text=line, kind="output"))
            return
        remark = read_words(line)
        if remark is not None:
            self._counts.add("remark")
            self._counts.heard.append((number, remark.text))
            remark.line = number
            yield remark
            return
        self._counts.miss(number, line)
        if self._strict:
            raise NotUnderstoodError(number, line)
        yield NotUnderstood(line=number, text=line)
