"""The life of one object of a trace: across dup, fork, execve and SCM_RIGHTS, at both ends, with its data.

The trace is read twice: what the object is, and which is its other end, may only show after it was created.
"""

from __future__ import annotations

from tracediag.evidence.named_paths import known_paths
from tracediag.kernel import Action, Kernel, apply
from tracediag.kernel.descriptor import OpenFile
from tracediag.overviews.counting.view import Progress
from tracediag.overviews.data import chunk_of
from tracediag.overviews.descriptors import line_of, time_of
from tracediag.overviews.following.births import Birth, Births
from tracediag.overviews.following.finder import Finder, NoSuchObjectError
from tracediag.overviews.following.living import follow_process
from tracediag.overviews.following.log import Log
from tracediag.overviews.following.spooled import spooled
from tracediag.overviews.following.targets import Target, end_of, note_of
from tracediag.overviews.following.wanted import Asked, parse_asked
from tracediag.overviews.sources import kernel_of
from tracediag.overviews.touching import Touch, touched
from tracediag.reading import Reader
from tracediag.results.following import Chunk, Life
from tracediag.snapshot import Snapshot
from tracediag.trace.calls import EXECS, FORKS
from tracediag.trace.events import Event, Syscall

_MOST_DATA = 64 << 20
"""Bytes of data that are kept."""
_MOVING = ("", "from ", "to ")
"""How a call acts on a description that it moves data to or from."""


def follow(  # what to follow, and how much to keep, all named
    trace: str,
    asked: str | Asked,
    *,
    limit: int = 0,
    data: bool = False,
    progress: Progress | None = None,
    known: Snapshot | None = None,
) -> Life:
    """Return the life of an object.

    Args:
        trace: a path, the prefix of an `-ff` set, or "-"; a pipe is kept in a temporary file, as it is read twice.
        asked: what to follow: "fd 7@976", "pipe 5@12", "path /etc/x", "peer 10.0.0.1:443", "pid 12".
        limit: how many happenings to keep, the first and the last ones; 0 for all.
        data: whether to keep the data of reads and writes.
        progress: called with the number of bytes read so far.
        known: what /proc showed of the processes; by default the snapshot beside the trace, if there is one.

    Raises:
        AskingError: if `asked` is not one of these.
        NoSuchObjectError: if the trace does not show it.
        UnreadableError: if the trace cannot be read.
    """
    wanted = parse_asked(asked) if isinstance(asked, str) else asked
    if wanted.kind == "pid":
        return follow_process(trace, wanted, limit, progress, known)
    with spooled(trace) as path:
        finder, reader = Finder(wanted, kernel_of(trace, known)), Reader(path, progress=progress)
        for event in reader:
            finder.take(event)
        births = finder.found(reader.counts.lines)
        follower = _Follower(wanted, births, kernel_of(trace, known), limit, data=data)
        for event in Reader(path, progress=progress):
            follower.take(event)
    life = follower.life(trace, reader.damage)
    if not life.happenings:
        raise NoSuchObjectError(finder.nothing(reader.counts.lines))
    return life


class _Ear:
    """Has the model tell of each release, also of descriptors that a process inherited and never used."""

    def gone(self, watched: object) -> None:
        """Drop nothing."""

    def moved(self, watched: OpenFile, to: OpenFile) -> None:
        """Stay with the description that it turns out to be."""
        del watched
        to.watch(self)


class _Follower:
    def __init__(self, asked: Asked, births: list[Birth], kernel: Kernel, limit: int, *, data: bool) -> None:
        self._asked = asked
        self._wanted = dict.fromkeys(births)
        self._kernel = kernel
        self._births = Births()
        self._targets: dict[OpenFile, Target] = {}
        self._open: dict[Target, None] = {}
        self._ear = _Ear()
        self._log = Log(limit)
        self._data = data
        self._kept = 0
        self._start: float | None = None

    def take(self, event: Event) -> None:
        """Process the next event."""
        if self._start is None:
            self._start = event.time
        before = self._held(event) if isinstance(event, Syscall) and event.name in EXECS and event.result == 0 else {}
        action = apply(self._kernel, event)
        files = touched(action)
        for file, birth in self._births.take(action, files):
            if birth in self._wanted and file not in self._targets:
                self._begin(file, action)
        if not self._targets and self._asked.kind != "path":
            return
        hit = {file: touch for file, touch in files.items() if file in self._targets}
        for file, touch in hit.items():
            self._touch(self._targets[file], touch, action)
        if isinstance(event, Syscall) and not hit:
            self._pass_on(event, action, before)

    def _begin(self, file: OpenFile, action: Action) -> None:
        file.watch(self._ear)
        opened = file.opened
        target = self._targets[file] = Target(
            name="",
            file=file,
            process=action.process,
            line=None if opened is None else line_of(opened),
            time=None if opened is None else time_of(opened),
        )
        self._open[target] = None

    def _touch(self, target: Target, touch: Touch, action: Action) -> None:
        event = action.event
        note = note_of(touch, action)
        if isinstance(event, Syscall) and touch.how in _MOVING:
            chunk = chunk_of(event, moved_to={"to ": True, "from ": False}.get(touch.how))
            if chunk is not None:
                note += self._count(target, chunk)
        if touch.how == "closes " and target.file.gone:
            target.closed = event
            self._open.pop(target, None)
            note += ", the last one"
        self._log.add(event, note, target)

    def _count(self, target: Target, chunk: Chunk) -> str:
        """Count the data of a call; return the words for it."""
        if chunk.written:
            target.sent += chunk.length
        else:
            target.received += chunk.length
        target.unseen += chunk.missing
        if self._data and self._kept < _MOST_DATA:
            self._kept += chunk.length - chunk.missing
            target.chunks.append(chunk)
        cut = f", {chunk.missing:,} of them not shown" if chunk.missing else ""
        return f" {'>' if chunk.written else '<'} {chunk.length:,} bytes{cut}"

    def _held(self, event: Event) -> dict[Target, str]:
        """Return the descriptions that the process of an event holds, each with its numbers."""
        table = self._kernel.process_table.thread(event).process.table
        found = {}
        for target in self._open:
            table.claim(target.file)
            numbers = [str(descriptor.number) for descriptor in target.file.holders if descriptor.table is table]
            if numbers:
                found[target] = "fd " + ", ".join(numbers)
        return found

    def _pass_on(self, call: Syscall, action: Action, before: dict[Target, str]) -> None:
        """Record what keeps or copies a description without acting on it: fork and execve; or a call by its path."""
        if call.name in FORKS and (call.result or 0) > 0 and not call.has("CLONE_THREAD"):
            verb = "shares" if call.has("CLONE_FILES") else "inherits"
            for target, numbers in self._held(call).items():
                self._log.add(call, f"pid {call.result} {verb} {numbers}", target)
        elif before:
            after = self._held(call)
            for target in before:
                if target in after:
                    self._log.add(call, f"{after[target]} stays open in the new program", target)
        elif self._asked.kind == "path" and self._names_path(call, action):
            self._log.add(call, f"fails with {call.errno}" if call.failed else "names it")

    def _names_path(self, call: Syscall, action: Action) -> bool:
        wanted = self._asked.text
        name = wanted.rpartition("/")[2]
        return bool(name) and name in call.body and wanted in known_paths(call, action.thread)

    def life(self, path: str, damage: str | None) -> Life:
        """Return the life, after the last event."""
        self._name()
        names = {target.file: target.name for target in self._targets.values()}
        happenings, left_out = self._log.happenings()
        return Life(
            path=path,
            asked=str(self._asked),
            start=self._start,
            ends=tuple(end_of(target, names) for target in self._targets.values()),
            happenings=happenings,
            left_out=left_out,
            damage=damage,
        )

    def _name(self) -> None:
        """Name the ends: A and B; with several objects 1A, 1B, 2A."""
        number, paired = 0, any(target.file.other in self._targets for target in self._targets.values())
        several = len(self._targets) > (2 if paired else 1)
        for file, target in self._targets.items():
            if target.name:
                continue
            number += 1
            other = None if file.other is None else self._targets.get(file.other)
            prefix = str(number) if several else ""
            target.name = f"{prefix}A" if other is not None or not several else prefix
            if other is not None and not other.name:
                other.name = f"{prefix}B"
