"""TD509: a shared library that the loader cannot find."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step
from tracediag.evidence.names import process_name
from tracediag.evidence.steps import repeated
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import EXECS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Exit, Message

_LIBRARY = lazy_pattern(r'"(?:[^"]*/)?([^"/]+\.so(?:\.[^"/]*)?)", O_RDONLY')
_SPOKEN = ("error while loading shared", "cannot open shar", "error loading shared")
"""The messages of glibc, dlerror and musl, as far as strace shows them by default."""
_LOADER_STATUS = 127
_KEPT = 8
_LATE = 25
"""Lines after a search in which a program that needs the library would have ended."""


class _Search(msgspec.Struct, eq=False):
    """The directories where the loader looked for one library."""

    library: str
    first: Syscall
    last: Syscall
    places: int = 1


class SharedLibraryMissing(Rule):
    """The loader looks for one name in every directory, ENOENT in each, and the program exits or reports it."""

    code = "TD509"
    name = "shared-library-missing"
    severity = Severity.ERROR
    summary = "the loader finds a shared library in none of its directories"
    rests_on_successes = True

    def __init__(self) -> None:
        self._searches: Cases[Process, dict[str, _Search]] = Cases()
        """The last searches of each process by the name of the library, the latest last."""

    @on_errno("ENOENT", of=OPENS, showing=(".so",))
    def missed(self, action: Action) -> None:
        """Count a directory without the library."""
        call = action.call
        found = _LIBRARY.search(call.body)
        if found is None or found[1].startswith("ld.so."):
            return
        searches = self._searches.setdefault(action.process, {})
        known = searches.pop(found[1], None)
        if known is None:
            known = _Search(found[1], call, call, 0)
        known.last, known.places = call, known.places + 1
        searches[found[1]] = known
        if len(searches) > _KEPT:
            del searches[next(iter(searches))]

    @on_call(*EXECS)
    def replaced(self, action: Action) -> None:
        """Forget the searches of the program before."""
        if not action.call.failed:
            self._searches.pop(action.process)

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge a program that fails, or one without an end in the trace."""
        process = end.process
        if process in self._searches and (end.exit is None or end.exit.status):
            yield from self._judged(process, end.exit, excerpt=self.scope.is_excerpt)

    def _judged(self, process: Process, end: Exit | None, *, excerpt: bool) -> Iterator[Finding]:
        searches = {name: search for name, search in self._searches[process].items() if not _found(process, search)}
        if not searches:
            return
        message = _message(process)
        named = None if message is None else _named(message, searches)
        search = named or (next(reversed(searches.values())) if message is not None or end is not None else None)
        withheld = None if message is not None or search is None else said_by(process, search.last.line).withheld
        if search is not None and message is not None and message.line > search.last.line:
            sure = Confidence.CERTAIN if named is not None else Confidence.LIKELY
            yield self._finding(process, search, message, end, sure)
        elif search is not None and withheld is not None and _last_thing(process, search):
            yield self._finding(process, search, withheld, end, Confidence.LIKELY)
        elif search is not None and end is not None and end.status == _LOADER_STATUS and _last_thing(process, search):
            yield self._finding(process, search, None, end, Confidence.LIKELY)
        elif excerpt and end is None:
            several = (search for search in searches.values() if search.places > 1)
            lost = [search for search in several if not _carries_on(process, search)]
            yield from (self._finding(process, search, None, None, Confidence.POSSIBLE) for search in lost[-1:])

    def _finding(
        self, process: Process, search: _Search, message: Message | None, end: Exit | None, confidence: Confidence
    ) -> Finding:
        name = search.library
        searched = "searched here" if confidence is Confidence.POSSIBLE else "that the loader searches"
        return self.finding(
            _story(search, message, end),
            object=process_name(process),
            title=f"shared library {name} is in none of the directories {searched}",
            confidence=confidence,
            severity=Severity.ERROR if end is not None or _fatal(message) else Severity.WARNING,
            why="the loader searches DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.cache, /lib and /usr/lib, in"
            " this order; a program that needs a library in none of them exits with 127 before main: ld.so(8)",
            fix=f"install the package that contains {name} (apt-file search {name}), or add the directory of the"
            " library: ldconfig, LD_LIBRARY_PATH, or -Wl,-rpath at build time; ldd lists all missing libraries",
            explains=[
                *((rule, search.last.line) for rule in ("failed-call-behind-exit", "missing-file", "failed-call")),
                *((rule, search.first.line) for rule in ("missing-file", "failing-lookup-storm")),
                *([] if end is None else [("child-failure-behind", end.line)]),
            ],
        )


def _message(process: Process) -> Message | None:
    """Return the complaint of the loader, or of a program about dlopen."""
    for call in reversed(process.messages):
        if Complaint((call,)).says(*_SPOKEN) is not None:
            return call
    return None


def _fatal(message: Message | None) -> bool:
    """Whether the loader itself reports the error, before the program starts."""
    return message is not None and Complaint((message,)).says("error loading", "error while") is not None


def _named(message: Message, searches: dict[str, _Search]) -> _Search | None:
    """Return the search for the library that the message names; strace may have cut its name."""
    for piece in Complaint((message,)).pieces:
        for search in searches.values():
            text = piece.text.rstrip(".")
            if search.library in piece.text or (piece.shortened and len(text) > 8 and search.library.startswith(text)):
                return search
    return None


def _found(process: Process, search: _Search) -> bool:
    """Whether the library was opened in a later directory: what the loader then reports is another failure."""
    return any(f'/{search.library}"' in call.body for call in _opened_after(process, search))


def _last_thing(process: Process, search: _Search) -> bool:
    """Whether no library was opened after the search: neither another one nor this one."""
    return not any(".so" in call.body for call in _opened_after(process, search))


def _carries_on(process: Process, search: _Search) -> bool:
    """Whether the program opens another file after the search, or makes calls for long: it does without the library."""
    calls = (thread.last_call for thread in process.threads)
    late = any(call is not None and call.line > search.last.line + _LATE for call in calls)
    return late or next(_opened_after(process, search), None) is not None


def _opened_after(process: Process, search: _Search) -> Iterator[Syscall]:
    for held in (*process.table.open.values(), *process.table.last_closed.values()):
        if isinstance(held.opened, Syscall) and held.opened.line > search.last.line:
            yield held.opened


def _story(search: _Search, message: Message | None, end: Exit | None) -> Iterator[Step]:
    if search.first is not search.last:
        places = search.places - 1
        note = f"{search.library} is not in this directory"
        yield repeated(search.first, note, places, search.last.line)
    yield step(search.last, f"{search.library} is not in the last directory either", primary=True)
    if message is not None:
        yield report_step(message, named=Complaint((message,)).withheld is None)
    if end is not None:
        yield end_step(end)
