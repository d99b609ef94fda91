"""TD001: a command reads nothing, because a redirection of the shell has emptied its input."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.names import process_name
from tracediag.evidence.paths import name_of, path_of
from tracediag.kernel import Action
from tracediag.kernel.descriptor import PATHS, OpenFile
from tracediag.kernel.process import Process, Thread
from tracediag.results.findings import Confidence, Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_call, on_followed
from tracediag.trace.calls import READS
from tracediag.trace.events import Syscall
from tracediag.trace.values import Array, Text

_OUTPUT, _INPUT = 1, 0
_DEVICES = ("/dev/", "/proc/")


class _Input(msgspec.Struct, eq=False):
    """A file that a process has opened to read, and that its own redirection has emptied."""

    opened: Syscall
    file: OpenFile
    emptied: Syscall | None
    """None where it was opened before the trace began."""
    path: str


class InputTruncatedByRedirection(Rule):
    """The shell opens FILE with O_TRUNC for the output, and the command reads 0 bytes from the same FILE."""

    code = "TD001"
    name = "input-truncated-by-redirection"
    severity = Severity.ERROR
    summary = "a command reads 0 bytes from the file that its own redirection has emptied"
    raised_by = (READS,)

    def __init__(self) -> None:
        self._inputs: dict[Thread, _Input] = {}
        self._suspects: Cases[Process, None] = Cases()
        """The processes that execute a program whose standard output a redirection has, or may have, emptied."""

    @on_call("open", "openat", given="_suspects")
    def opened(self, action: Action) -> None:
        """Watch what a process reads from the file that is its standard output, if its arguments name that file.

        A program that opens its own log, which `> LOG` has just made, loses nothing.
        """
        process = action.process
        executed = process.executed
        if not action.opened or process not in self._suspects or executed is None:
            return
        emptied = _emptied(action)
        if emptied is None or name_of(emptied[1]) not in action.call.body:
            return
        if _line(emptied[0]) > executed.line or action.call.has("O_TRUNC"):
            return
        if _names(executed, action.call.path(PATHS[action.call.name]) or ""):
            self._watch(action, action.opened[0].file, *emptied)

    @on_call("execve")
    def executed(self, action: Action) -> None:
        """Watch the standard input of a program, if its standard output has emptied it: `< FILE > FILE`."""
        if action.call.failed:
            return
        process = action.process
        self._suspects.pop(process, None)
        emptied = _emptied(action)
        if emptied is not None or _may_turn_out(action):
            self._suspects[process] = None
        given = process.table.file_of(_INPUT)
        if emptied is None or given is None or given.opened is None or given.at_end is not None:
            return
        if _line(emptied[0]) > given.opened.line:
            self._watch(action, given, *emptied)

    def _watch(self, action: Action, file: OpenFile, emptied: Syscall | None, path: str) -> None:
        output = action.process.table.file_of(_OUTPUT)
        if file.opened is not None and file is not output and path_of(file, action.process) == path:
            self._inputs[action.thread] = _Input(file.opened, file, emptied, path)
            self.follow(action.thread)

    @on_followed
    def followed(self, action: Action) -> Iterator[Finding]:
        """Report the first read, if it returns 0."""
        call, known = action.event, self._inputs.get(action.thread)
        if known is None or not isinstance(call, Syscall) or call.name not in READS:
            return
        if action.descriptor is None or action.descriptor.file is not known.file:
            return
        del self._inputs[action.thread]
        self.leave(action.thread)
        if call.result == 0 and _emptied(action) is not None:
            yield self._finding(action, call, known)

    def _finding(self, action: Action, call: Syscall, known: _Input) -> Finding:
        name, path = process_name(action.process), known.path
        return self.finding(
            [
                *_truncation(known),
                step(known.opened, f"{path} is opened to read"),
                step(call, f"read returns 0: nothing is left of {path}", primary=True),
            ],
            object=path,
            title=f"{name} reads 0 bytes from {path}: the redirection > {path} has truncated the file first",
            confidence=Confidence.POSSIBLE if known.emptied is None else Confidence.LIKELY,
            why="the shell opens the files of all redirections before it starts the command, and > opens with O_TRUNC:"
            " the file is empty before the command reads it; bash(1), open(2)",
            fix=f"write to another file and rename it: COMMAND {path} > {path}.new && mv {path}.new {path};"
            " or use sponge(1), sed -i, sort -o; restore the content from a backup",
        )


def _names(executed: Syscall, path: str) -> bool:
    """Whether the arguments of a command name a file: `app.conf`, `if=app.conf`; of what strace cut its beginning."""
    given = executed.arg(1)
    texts = [text for text in given.items if isinstance(text, Text)] if isinstance(given, Array) else []
    return any(
        path.startswith(str(text).rpartition("=")[2]) if text.shortened else path == str(text).rpartition("=")[2]
        for text in texts
    )


def _truncation(known: _Input) -> Iterator[Step]:
    if known.emptied is not None:
        yield step(known.emptied, f"the redirection of the output truncates {known.path}: O_TRUNC")


def _line(call: Syscall | None) -> int:
    return 0 if call is None else call.line


def _keeps_content(output: OpenFile) -> bool:
    """Whether no redirection has emptied a standard output: that of most programs."""
    opened, path = output.opened, output.known_path
    if path is not None and path.startswith(_DEVICES):
        return True  # a terminal, or /dev/null
    return path is None if opened is None else not opened.has("O_TRUNC")


def _may_turn_out(action: Action) -> bool:
    """Whether a later note may show the file of the standard output: it is older than the trace."""
    output = action.process.table.file_of(_OUTPUT)
    return action.process.parent is None and (output is None or (output.opened is None and output.known_path is None))


def _emptied(action: Action) -> tuple[Syscall | None, str] | None:
    """Return the call that has truncated the file of the standard output, and its path, if nothing was written yet."""
    output = action.process.table.file_of(_OUTPUT)
    if output is None or output.written is not None or _keeps_content(output):
        return None
    if output.opened is not None and not output.opened.has("O_TRUNC"):
        return None
    path = path_of(output, action.process)
    return None if path is None or path.startswith(_DEVICES) else (output.opened, path)
