"""Explains one call of a trace: what it does, on what, whether its result is normal, and what stands around it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

import msgspec

from tracediag.errors import TracediagError
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.descriptor import OpenFile
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of
from tracediag.overviews.explaining.arguments import named_arguments
from tracediag.overviews.explaining.around import child_events, moment, name_of
from tracediag.overviews.explaining.judging import judge
from tracediag.overviews.explaining.same_path import SamePath, changes_one_of, named_paths
from tracediag.overviews.explaining.sentences import held_by, sentence
from tracediag.overviews.explaining.wording import caller, created, parameter
from tracediag.overviews.places import learn_directory
from tracediag.overviews.touching import Touch, touched
from tracediag.results.explanation import Explanation, Moment, Use, Verdict
from tracediag.results.grades import Severity
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import plural
from tracediag.trace.records import Record
from tracediag.trace.values import text_of

_KEPT = 3
"""Calls on one object that are remembered before the explained one."""
_SHOWN = 4
"""Calls that are shown after it."""
_PATHS = 2048
"""Names whose last calls are remembered."""
_FILES = 4096
_SEARCHED = 2000
"""Events after a failed look-up in which a later one may find the file."""

_BRIEF = 80
"""Characters of a record that is no call."""
_ARTICLES = {
    "Signal": "a signal",
    "Stop": "a stop",
    "Exit": "the end of a process or thread",
    "Superseded": "a thread that execve replaced",
    "Notice": "a message of strace",
    "Elision": "a gap",
    "Remark": "a message of a program",
    "Other": "a line without a record",
    "CountRow": "a row of the table of strace -c",
    "NotUnderstood": "a line that is not understood",
}


class NoCallError(TracediagError, LookupError):
    """The line is no call, or the trace has no such line; the message is one clear sentence."""


class Explainer:
    """Takes the events of a trace in order, and explains the call of one line."""

    def __init__(self, line: int, kernel: Kernel) -> None:
        self._line = line
        self._kernel = kernel
        self._start: float | None = None
        self._history: dict[OpenFile, deque[tuple[Syscall, str]]] = {}
        self._names: OrderedDict[str, deque[Syscall]] = OrderedDict()
        self._same_path = SamePath()
        self._paths: set[str] = set()
        """The paths that the explained call names."""
        self._made: Explanation | None = None
        self._objects: dict[OpenFile, Touch] = {}
        self._name: str | None = None
        self._process: Process | None = None
        self._after: list[Moment] = []
        self._found: Syscall | None = None
        self._since = 0
        self._other: Record | None = None
        self._near: list[int] = []

    def take(self, event: Event) -> None:
        """Process the next event."""
        if self._start is None:
            self._start = event.time
        if not isinstance(event, Syscall):
            if isinstance(event, Record) and event.line == self._line:
                self._other = event
            apply(self._kernel, event)
        elif self._made is not None:
            self._follow(event)
        elif self._line in (event.line, line_of(event)):
            self._explain(event)
        else:
            self._remember(event)

    @property
    def call(self) -> str | None:
        """The name of the explained call, once it was found."""
        return None if self._made is None else self._made.call

    def explanation(self, path: str, lines: int, uses: Iterable[Use] = (), damage: str | None = None) -> Explanation:
        """Return the explanation, after the last event.

        Raises:
            NoCallError: if the line is no call, or the trace has fewer lines than that.
        """
        if self._made is None:
            raise NoCallError(self._no_call(path, lines))
        verdict, reason = self._made.verdict, self._made.reason
        if self._found is not None:
            verdict = Verdict.NORMAL
            name = str(text_of(self._found.arg("path")) or "")
            reason = f"one try of a search: line {line_of(self._found):,} finds {name}"
        found = tuple(uses)
        if verdict is Verdict.NOTABLE and any(use.severity is Severity.ERROR for use in found):
            verdict, reason = Verdict.FAILED, "this one mattered: see the finding"
        return msgspec.structs.replace(
            self._made,
            path=path,
            after=tuple(self._after),
            findings=found,
            verdict=verdict,
            reason=reason,
            damage=damage,
        )

    def _no_call(self, path: str, lines: int) -> str:
        if self._line > lines:
            return f"{path} has {plural(lines, 'line')}: there is no line {self._line:,}"
        near = min(self._near, key=self._distance, default=None)
        nearest = "" if near is None else f"; the nearest call is at line {near:,}"
        what = (
            "" if self._other is None else f" but {_ARTICLES[type(self._other).__name__]}: {self._other.text[:_BRIEF]}"
        )
        return f"{path}: line {self._line:,} is no call{what}{nearest}"

    def _distance(self, line: int) -> int:
        return abs(line - self._line)

    def _remember(self, call: Syscall) -> None:
        action = apply(self._kernel, call)
        learn_directory(action.thread, call)
        self._same_path.take(call, action.thread)
        place = line_of(call)
        self._near = [*self._near[-1:], place] if place < self._line else [*self._near[:2], place]
        for file, touch in touched(action).items():
            self._history.setdefault(file, deque(maxlen=_KEPT)).append((call, touch.note))
        for descriptor in action.released:
            if descriptor.file.gone:
                self._history.pop(descriptor.file, None)
        if len(self._history) > _FILES:
            self._history = {file: calls for file, calls in self._history.items() if not file.gone}
        name = name_of(call)
        if name is not None:
            self._names.setdefault(name, deque(maxlen=_KEPT)).append(call)
            self._names.move_to_end(name)
            if len(self._names) > _PATHS:
                self._names.popitem(last=False)

    def _explain(self, call: Syscall) -> None:
        thread = self._kernel.process_table.thread(call)
        process = self._process = thread.process
        said = sentence(call, process, caller(process, call, len(process.threads)))
        parameters = tuple(parameter(name, text, place, call, process)
                           for place, (name, text) in enumerate(named_arguments(call)))  # fmt: skip
        program = process.program
        first = call.number(0)
        held = None if first is None or first < 0 else held_by(process, first)
        result, verdict, reason = judge(call, held)
        action = apply(self._kernel, call)
        learn_directory(thread, call)
        self._objects, self._paths = touched(action), named_paths(call, thread)
        self._name = name_of(call) if call.failed else None
        self._made = Explanation(
            path="",
            line=call.line,
            last_line=line_of(call),
            pid=call.pid,
            program=program,
            time=call.time,
            start=self._start,
            duration=call.duration,
            call=call.name,
            text=call.text,
            sentence=said,
            parameters=parameters,
            result=created(result, action),
            verdict=verdict,
            reason=reason,
            before=tuple(self._earlier(call, action)),
            after=(),
            findings=(),
            stack=call.stack,
        )

    def _earlier(self, call: Syscall, action: Action) -> list[Moment]:
        """Return what happened on the same objects before: their birth, and the last calls."""
        found: dict[int, Moment] = {}
        for file, touch in self._objects.items():
            birth = file.opened
            if birth is not None and birth is not call:
                found[line_of(birth)] = moment(birth, Touch("creates ", touch.number).note)
            for earlier, note in self._history.get(file, ()):
                found.setdefault(line_of(earlier), moment(earlier, note))
        for earlier in self._same_path.before(self._paths):
            found.setdefault(line_of(earlier), moment(earlier, "the same path"))
        for earlier in self._names.get(self._name or "", ()):
            found.setdefault(line_of(earlier), moment(earlier, "the same name"))
        for event, note in child_events(call, action):
            found.setdefault(line_of(event), moment(event, note))
        return [found[line] for line in sorted(found)]

    def _follow(self, call: Syscall) -> None:
        if len(self._after) >= _SHOWN and (self._name is None or self._since > _SEARCHED):
            return
        self._since += 1
        action = apply(self._kernel, call)
        if self._name is not None and self._found is None and action.process is self._process:
            self._search(call)
        if len(self._after) >= _SHOWN:
            return
        note = next((touch.note for file, touch in touched(action).items() if file in self._objects), None)
        if note is None and changes_one_of(self._paths, call, action.thread):
            note = "the same path"
        if note is not None:
            self._after.append(moment(call, note))

    def _search(self, call: Syscall) -> None:
        if name_of(call) != self._name:
            return
        if len(self._after) < _SHOWN:
            self._after.append(moment(call, "the same name"))
        if not call.failed and call.returned:
            self._found = call
