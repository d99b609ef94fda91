"""The report: what was read, what is wrong with it, what could not be judged, and how the processes ended.

A `Report` is the JSON document `tracediag-report/2`: each public field is a key of it under the same name, but for
`Input.unparsed`, which is the key `not_understood`. docs/report.md explains the keys and when the edition changes.
"""

from __future__ import annotations

import msgspec

from tracediag.results.findings import Finding
from tracediag.results.grades import Maturity, Severity
from tracediag.results.here import Here
from tracediag.results.overview import Apart, Fate, Overview, Waiting

SCHEMA = "tracediag-report/2"
"""The edition of the document."""


class Sample(msgspec.Struct, frozen=True):
    """A line that was not understood."""

    line: int
    text: str


class NotUnderstood(msgspec.Struct, frozen=True):
    """The lines that are no known form of strace output."""

    count: int = 0
    samples: tuple[Sample, ...] = ()
    """The first few of them."""


class Input(msgspec.Struct, frozen=True, kw_only=True, rename={"unparsed": "not_understood"}):
    """What was read, and how much of it was understood."""

    path: str
    lines: int = 0
    calls: int = 0
    signals: int = 0
    exits: int = 0
    unparsed: NotUnderstood = NotUnderstood()
    damage: str | None = None
    """What of the source could not be read, in one sentence; None where all of it was read."""
    doubt: str | None = None
    """Why findings may be wrong or missing, in one sentence: calls that were not read; None where nearly all were."""

    @property
    def not_understood(self) -> int:
        """How many lines were not understood."""
        return self.unparsed.count

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The first few lines that were not understood."""
        return self.unparsed.samples


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What the recording is and shows; None for a fact that was not examined."""

    times: str = "none"
    """The clock of the times: "epoch" (`-ttt`), "clock" (time of day, `-t` and `-tt`), "relative" (`-r`) or "none"."""
    durations: bool = False
    """The time spent inside each call is shown (`-T`)."""
    pids: bool = False
    """Lines carry the pid of their process or thread (`-f`)."""
    descriptors: bool = False
    """Descriptors carry a note on what they refer to (`-y`)."""
    sockets: bool = False
    """The notes of sockets have addresses (`-yy`)."""
    excerpt: bool | None = None
    """The recording begins or ends in the middle of the program's life."""
    elided: bool | None = None
    """Lines are left out of the text, marked `...`."""
    failures_only: bool | None = None
    """Only failed calls were recorded (`-Z`)."""
    whole: bool | None = None
    """It shows the program from its start to the end of all processes, with every kind of call."""
    successes_only: bool | None = None
    """Only successful calls were recorded (`-z`)."""
    hidden: tuple[str, ...] | None = None
    """The families of `strace -e trace=` of which a filter hides all calls: "network", "file", "process"."""
    attached_threads: int | None = None
    """With how many threads strace was attached to a running program; 0 if strace started it, None if not shown."""
    children_followed: bool | None = None
    """Children and threads have lines of their own (`-f`); None where none is created."""
    strings_cut: int | None = None
    """The length in bytes at which strings are cut (`-s`); None where none is cut in the first lines."""
    symbols: bool | None = None
    """Constants have names; false with `-X raw`."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a process ended that no other process in the trace started."""

    pid: int | None
    program: str | None = None
    """The path of the last program that it executed."""
    command: tuple[str, ...] = ()
    """The arguments of that execve."""
    status: int | None = None
    """Its exit status; None where a signal killed it, or where the trace shows no end."""
    signal: str | None = None
    """The signal that killed it: "SIGSEGV"."""
    core_dumped: bool = False
    line: int | None = None
    """Where the trace shows the end; None where it does not."""


class CommandEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The command that `tracediag run` recorded, and how it ended."""

    argv: tuple[str, ...]
    status: int | None = None
    """Its exit status; None where a signal killed it."""
    signal: str | None = None
    """The signal that killed it: "SIGTERM"."""

    @property
    def failed(self) -> bool:
        """Whether it ended with another status than 0, or by a signal."""
        return self.signal is not None or self.status != 0


class Part(msgspec.Struct, frozen=True):
    """One of several traces in a file, analysed for itself."""

    label: str
    """The headline or the command above it; "" without one."""
    first_line: int
    last_line: int


class Blind(msgspec.Struct, frozen=True):
    """A rule that could not judge, and what the recording lacks for it."""

    rule: str
    needs: str


class BrokenRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that failed or was not loaded; the report lacks what it would have found from there on."""

    rule: str
    line: int | None
    """The line of the trace at which it failed; None at the end of the trace, 0 before its first line."""
    error: str
    """The exception as one line: "ValueError: no such state"; of a rule that was not loaded, what is wrong with it."""
    own: bool = False
    """Whether it is a rule of the user's own."""
    place: str | None = None
    """Of a rule that was not loaded: "rules/no_fsync.md:3:9", or its entry point; None for one that failed later."""


class RuleCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is, so that a reader of the report need not have the rules."""

    code: str
    severity: Severity
    """The severity that its findings usually have."""
    maturity: Maturity
    summary: str
    """One line."""
    meaning: str
    """The first sentence of its page: what it finds."""
    family: str
    """The family of rules that it belongs to: "epoll"."""
    tags: tuple[str, ...] = ()
    help: str = ""
    """Why it is a bug and how to fix it, in Markdown."""


class Report(msgspec.Struct, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """All that an analysis has to say, in order of rank: the worst first, each followed by what it explains."""

    input: Input
    findings: tuple[Finding, ...] = ()
    """All findings in order of rank; one with `explained_by` stands after its cause."""
    blind: tuple[Blind, ...] = ()
    """Rules that met something they could not judge."""
    advice: str | None = None
    """How to record better, in one strace command; None where nothing was missing."""
    scope: Scope = Scope()
    endings: tuple[Ending, ...] = ()
    """How each process ended that no other process in the trace started."""
    overview: Overview = Overview()
    """What was recorded: command, processes, time."""
    ending: tuple[Fate, ...] = ()
    """How each process that matters ended, and what it said last; in order of time, at most eight."""
    waiting: tuple[Waiting, ...] = ()
    """Where threads stand when the trace ends."""
    apart: tuple[Apart, ...] = ()
    """Connections of which few end in another way than the others, where no finding tells of that."""
    command: CommandEnd | None = None
    """The command that was recorded; None for a trace that was there before."""
    broken: tuple[BrokenRule, ...] = ()
    """Rules that failed with an exception, and rules of the user's own that could not be loaded."""
    rules: dict[str, RuleCard] = {}
    """The rules that the report names, by their names."""
    here: Here | None = None
    """What the host of the analysis shows now about the failed calls, which is no evidence; None unless asked for."""
    redacted: dict[str, int] | None = None
    """How many values of the report were hidden, by kind: {"authorization": 2}; None where none was looked for."""
    parts: tuple[Part, ...] = ()
    """The traces, if the file holds several; their findings follow one another, each part's in order of rank."""

    @property
    def causes(self) -> tuple[Finding, ...]:
        """The findings that no other finding of the report explains: what counts and limits are about."""
        return tuple(finding for finding in self.findings if finding.explained_by is None)

    @property
    def folded(self) -> tuple[tuple[Finding, tuple[Finding, ...]], ...]:
        """Each cause with all that follows from it, directly or not."""
        groups: list[list[Finding]] = []
        for finding in self.findings:
            if finding.explained_by is None or not groups:
                groups.append([])
            groups[-1].append(finding)
        return tuple((cause, tuple(followers)) for cause, *followers in groups)

    def __repr__(self) -> str:
        found = f"{len(self.findings)} findings, {len(self.causes)} causes"
        return f"<Report {self.input.path!r}: {self.input.lines} lines, {found}>"
