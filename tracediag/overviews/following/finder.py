"""Finds the open file descriptions that `follow` is asked for, in a first reading of the trace."""

from __future__ import annotations

from tracediag.errors import TracediagError
from tracediag.evidence.named_paths import known_paths
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.describe import describe_file
from tracediag.kernel.descriptor import Descriptor, Kind, OpenFile
from tracediag.kernel.locating import location
from tracediag.kernel.process import Process
from tracediag.overviews.descriptors import line_of
from tracediag.overviews.following.births import Birth, Births
from tracediag.overviews.following.wanted import Asked
from tracediag.overviews.touching import Touch, touched
from tracediag.trace.events import Event, Syscall
from tracediag.trace.quantities import plural

_CANDIDATES = 6
"""Incarnations of a number that an error names."""
_ALIKE = 3
_NUMBERS = 12
"""Open descriptors that an error names."""
MOST = 1000
"""Descriptions that are followed: a proxy may open a hundred thousand connections to one peer."""


class NoSuchObjectError(TracediagError, LookupError):
    """The trace does not show that object; the message is one clear sentence."""


class Finder:
    """Takes the events of a trace in order, and returns the births of the descriptions asked for."""

    def __init__(self, asked: Asked, kernel: Kernel) -> None:
        self._asked = asked
        self._kernel = kernel
        self._births = Births()
        self._found: dict[OpenFile, Birth] = {}
        self._candidates: list[tuple[Descriptor, Birth, int | None]] = []
        self._process: Process | None = None
        self._missing: str | None = None
        self._next: int | None = None
        self._alike: set[str] = set()

    def take(self, event: Event) -> None:
        """Process the next event."""
        asked = self._asked
        here = asked.line is not None and asked.line in (event.line, line_of(event))
        held = None
        if here and self._process is None:
            self._process = self._kernel.process_table.thread(event).process
            held = self._process.table.get(asked.number)
        action = apply(self._kernel, event)
        files = touched(action)
        new = self._births.take(action, files)
        if here and not self._found:
            self._settle(action, held)
        self._look(action, files, new)
        self._pair(files)

    def _pair(self, files: dict[OpenFile, Touch]) -> None:
        """Add the other ends of what an event acted on: pairing shows when either end is used."""
        for file in files:
            other = file.other
            if other is None:
                continue
            for one, far in ((file, other), (other, file)):
                birth = self._births.of(far) if one in self._found and far not in self._found else None
                if birth is not None:
                    self._found[far] = birth

    def found(self, lines: int) -> list[Birth]:
        """Return the births, the earliest first. Raises `NoSuchObjectError`."""
        asked = self._asked
        if asked.kind in ("fd", "pipe") and asked.line is None:
            self._choose()
        if not self._found and asked.kind != "path":  # a path may be named only by calls that fail
            raise NoSuchObjectError(self.nothing(lines))
        if asked.kind == "pipe" and not any(file.kind is Kind.PIPE for file in self._found):
            kind = next(iter(self._found)).kind
            raise NoSuchObjectError(f"fd {asked.number} at that line is a {kind}, not a pipe: ask for 'fd', not 'pipe'")
        return sorted(self._found.values(), key=_order)

    def _settle(self, action: Action, before: Descriptor | None) -> None:
        """Resolve the number at the line asked for: what the call creates, else what the number was."""
        number, process = self._asked.number, action.process
        made = next((descriptor for descriptor in action.opened if descriptor.number == number), None)
        held = made or before or process.table.get(number)
        birth = None if held is None else self._births.of(held.file)
        if held is not None and birth is not None:
            self._found[held.file] = birth
            return
        numbers = sorted(descriptor.number for descriptor in process.table)
        shown = ", ".join(map(str, numbers[:_NUMBERS])) or "none"
        self._missing = f"no fd {number} is open at line {self._asked.line:,} in pid {process.pid}; open there: {shown}"

    def _look(self, action: Action, files: dict[OpenFile, Touch], new: list[tuple[OpenFile, Birth]]) -> None:
        asked = self._asked
        match asked.kind:
            case "path":
                self._note_alike(action)
                for file, birth in new:
                    if asked.text in (file.path, location(file, action.thread)):
                        self._add(file, birth)
            case "peer":
                for file in files:
                    self._note_peer(file)
                    known = self._births.of(file) if file not in self._found and _is_peer(file, asked.text) else None
                    if known is not None:
                        self._add(file, known)
            case "fd" | "pipe":
                self._gather(action, new)

    def _note_alike(self, action: Action) -> None:
        """Remember paths with the same last part as the one asked for."""
        name, call = self._asked.text.rpartition("/")[2], action.event
        if isinstance(call, Syscall) and name and len(self._alike) < _ALIKE and f'{name}"' in call.body:
            paths = known_paths(call, action.thread)
            self._alike |= {path for path in paths if path.rpartition("/")[2] == name}

    def _note_peer(self, file: OpenFile) -> None:
        """Remember a few peers."""
        peer = None if file.socket is None else file.socket.peer
        if peer is not None and len(self._alike) < _ALIKE:
            self._alike.add(f"peer {peer}")

    def _gather(self, action: Action, new: list[tuple[OpenFile, Birth]]) -> None:
        """Collect the incarnations of a number for which no line was given, and the next one after a line."""
        number = self._asked.number
        for descriptor in action.opened:
            if descriptor.number == number:
                if self._missing is not None and self._next is None and action.process is self._process:
                    self._next = line_of(action.event)
                birth = self._births.of(descriptor.file)
                if birth is not None and len(self._candidates) < _CANDIDATES:
                    self._candidates.append((descriptor, birth, action.event.pid))
        if action.descriptor is not None and action.descriptor.number == number and not action.opened:
            for file, birth in new:
                if file is action.descriptor.file and len(self._candidates) < _CANDIDATES:
                    self._candidates.append((action.descriptor, birth, action.event.pid))

    def _choose(self) -> None:
        if len(self._candidates) == 1:
            descriptor, birth, _ = self._candidates[0]
            self._add(descriptor.file, birth)
            other = descriptor.file.other
            known = None if other is None else self._births.of(other)
            if other is not None and known is not None:
                self._add(other, known)

    def _add(self, file: OpenFile, birth: Birth) -> None:
        if len(self._found) < MOST:
            self._found[file] = birth

    def nothing(self, lines: int) -> str:
        """Return why nothing was found, and what is near."""
        asked = self._asked
        if self._candidates and asked.line is None:
            places = ", ".join(f"'{asked.kind} {asked.number}@{birth.last_line}'" for _, birth, _ in self._candidates)
            more = " and more" if len(self._candidates) == _CANDIDATES else ""
            return f"fd {asked.number} is several things in this trace: {places}{more}"
        if asked.line is not None and asked.line > lines:
            return f"the trace has {plural(lines, 'line')}: there is no line {asked.line:,}"
        if self._missing is not None:
            later = "" if self._next is None else f"; it is created at line {self._next:,}"
            return self._missing + later
        if asked.line is not None:
            return f"line {asked.line:,} is no record of a process: name a line of a call"
        held = next((each for process in self._kernel.processes if (each := process.table.get(asked.number))), None)
        if asked.kind in ("fd", "pipe") and held is not None:
            what = describe_file(held.file)
            return f"fd {asked.number}{f' = {what}' if what else ''} is open, but no call of the trace uses it"
        near = f"; it has {' and '.join(sorted(self._alike))}" if self._alike else ""
        return f"the trace shows no {asked}{near}"


def _is_peer(file: OpenFile, text: str) -> bool:
    peer = None if file.socket is None else file.socket.peer
    return peer is not None and text in (peer, peer.rpartition(":")[0].strip("[]"))


def _order(birth: Birth) -> tuple[int, int]:
    return birth.last_line, birth.number or 0
