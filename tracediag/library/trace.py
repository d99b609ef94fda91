"""A trace that was opened: what it shows, read when it is asked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from tracediag.analysis import Analysis
from tracediag.library.calls import Calls, query_of
from tracediag.library.lines import explain_line
from tracediag.overviews.descent.tree import grow_tree
from tracediag.overviews.files.listing import list_files
from tracediag.overviews.following.life import follow
from tracediag.overviews.lives.folder import fold_lives
from tracediag.overviews.peers.listing import list_peers
from tracediag.overviews.searching.search import Searching
from tracediag.overviews.state.moment import take_state
from tracediag.overviews.why.cause import find_cause
from tracediag.ownrules import OwnRules, RuleSet, load_rules
from tracediag.query import Query, compile_query
from tracediag.reading import AnySource, UnreadableError, read
from tracediag.results.cause import Cause
from tracediag.results.explanation import Explanation
from tracediag.results.files import Files
from tracediag.results.findings import Finding
from tracediag.results.following import Life
from tracediag.results.lives import Lives
from tracediag.results.peers import Peers
from tracediag.results.report import Report
from tracediag.results.search import Found
from tracediag.results.state import State
from tracediag.results.tree import Node
from tracediag.snapshot import Snapshot
from tracediag.trace.events import Event


class Trace:
    """One trace. Opening it reads nothing; each question is one pass, except `follow`, which takes two.

    `report`, `findings` and `processes` are kept once they have been read. All questions raise `UnreadableError` if
    the source cannot be read or is no trace, and if it can be read only once and has been.
    """

    def __init__(
        self,
        source: AnySource,
        *,
        select: str | Iterable[str] = (),
        ignore: str | Iterable[str] = (),
        rules: OwnRules = (),
        progress: Callable[[int], None] | None = None,
        strict: bool = False,
        known: Snapshot | None = None,
    ) -> None:
        """Take what `open_trace` takes."""
        self._source = source
        self._select, self._ignore = select, ignore
        self._own = rules
        self._progress, self._strict, self._known = progress, strict, known
        self._spent = False

    def __repr__(self) -> str:
        return f"<Trace {os.fspath(self._source)!r}>" if isinstance(self._source, str | os.PathLike) else "<Trace>"

    def analysis(self) -> Analysis:
        """Return a new analysis: events and findings in one pass.

        Raises:
            UnknownRuleError: if `select` or `ignore` names a rule that does not exist.
            RulesFolderError: if a folder of `rules` cannot be read.
        """
        return Analysis(
            self._read(),
            select=self._select,
            ignore=self._ignore,
            rules=self._rules,
            progress=self._progress,
            strict=self._strict,
            known=self._known,
        )

    @cached_property
    def _rules(self) -> RuleSet:
        return load_rules(self._own)

    @cached_property
    def report(self) -> Report:
        """The report: findings, counted and ranked, and what the recording shows; read once."""
        analysis = self.analysis()
        for _ in analysis:
            pass
        return analysis.report()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of the report, the most important first."""
        return self.report.findings

    @cached_property
    def processes(self) -> tuple[Node, ...]:
        """The processes that have no parent in the trace, with their descendants; read once."""
        return grow_tree(self._read(), self._progress, self._known).roots

    def diagnose(self) -> Iterator[Finding]:
        """Yield the first finding of each kind, while the trace is read."""
        return iter(self.analysis())

    def events(self) -> Iterator[Event]:
        """Yield the events: calls with their halves joined, signals, exits, ..."""
        return read(self._read(), strict=self._strict, progress=self._progress)

    def calls(self, *names: str) -> Calls:
        """Return the calls of these names or classes ("connect", "%network"); without names, all calls.

        Raises:
            QueryError: if no call or class is named so.
        """
        return Calls(self._searching, query_of(names))

    def search(self, query: str) -> Iterator[Found]:
        """Yield each match of a query, also of a sequence, count or absence.

        Raises:
            QueryError: if it is not of the language.
        """
        return iter(self._searching(compile_query(query), False))

    def files(self) -> Files:
        """Return the files that were read, written, created, deleted, refused and looked for."""
        return list_files(self._read(), self._progress, self._known)

    def lives(self) -> Lives:
        """Return how connections, files and children live: equal lives counted, rare ones apart."""
        return fold_lives(self._read(), progress=self._progress, known=self._known)

    def peers(self) -> Peers:
        """Return the peers: connections, failures, bytes each way, and what was asked first."""
        return list_peers(self._read(), self._progress, self._known)

    def state(self, line: int | None = None) -> State:
        """Return what was open, locked, mapped, alive and blocked after a line; by default, at the end.

        Raises:
            NoSuchLineError: if the trace has fewer lines.
        """
        return take_state(self._read(), line, self._progress, self._known)

    def explain(self, line: int) -> Explanation:
        """Explain the call at a line, with the findings that use it.

        Raises:
            NoCallError: if the line is no call.
        """
        return explain_line(self._read(), line, self._progress, self._rules.rules, self._known)

    def why(self, message: str) -> Cause:
        """Return what is behind a message that the program printed.

        Raises:
            NotPrintedError: if no write shows the message.
        """
        return find_cause(self._read(), message, self._progress, self._known)

    def follow(self, wanted: str, *, limit: int = 0, data: bool = False) -> Life:
        """Return the life of one object: "fd 7@976", "path /etc/hosts", "peer 10.0.0.1:443", "pid 12".

        Args:
            wanted: the object.
            limit: how many records to keep, the first and the last ones; 0 for all.
            data: whether to keep the data of reads and writes.

        Raises:
            AskingError: if the object is not written so.
            NoSuchObjectError: if the trace does not show it.
            TypeError: if the trace is not a path: it is read twice.
        """
        if not isinstance(self._source, str | os.PathLike):
            raise TypeError("follow() reads the trace twice: open a path")
        self._read()
        path = os.fspath(self._source)
        return follow(path, wanted, limit=limit, data=data, progress=self._progress, known=self._known)

    def _searching(self, query: Query, model: bool) -> Searching:
        return Searching(self._read(), query, model=model, progress=self._progress, known=self._known)

    def _read(self) -> AnySource:
        """Return the source for one pass; an error if it is used up: a second pass would find an empty trace."""
        if self._spent:
            name = getattr(self._source, "name", None) or self._source
            known = name if isinstance(name, str) and name != "-" else "the source"
            raise UnreadableError(known, "it can be read only once; save it to a file, or pass a list of lines")
        self._spent = _is_read_once(self._source)
        return self._source


def open_trace(
    source: AnySource,
    *,
    select: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    rules: OwnRules = (),
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
    known: Snapshot | None = None,
) -> Trace:
    """Open a trace; nothing is read until something is asked.

    Args:
        source: a path (plain or compressed), the prefix of the files of `strace -ff`, "-" for standard input, an
            iterable of lines, or a source of `tracediag.reading`.
        select: the only rules to apply: names, codes, prefixes of codes ("TD5") or families ("epoll"), in a list or in
            one string, comma-separated; all where empty.
        ignore: the rules to leave out, likewise.
        rules: rules of your own: folders of pages, and classes; docs/own-rules.md.
        progress: called with the number of bytes read so far (of a compressed file: compressed bytes).
        strict: whether a line that is not understood, or a damaged source, is an error for `report`, `findings`,
            `diagnose` and `events`: `NotUnderstoodError`, `UnreadableError`.
        known: what /proc showed of the processes; by default the file `TRACE.proc.json`, if it lies beside the trace.
    """
    return Trace(source, select=select, ignore=ignore, rules=rules, progress=progress, strict=strict, known=known)


def _is_read_once(source: AnySource) -> bool:
    if isinstance(source, str | os.PathLike):
        if os.fspath(source) == "-":
            return True
        try:
            return not stat.S_ISREG(mode := os.stat(source).st_mode) and not stat.S_ISDIR(mode)  # noqa: PTH116
        except (OSError, ValueError):
            return False
    return isinstance(source, Iterator) or hasattr(source, "pieces")
