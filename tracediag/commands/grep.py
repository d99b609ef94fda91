r"""Print the calls that a query describes.

    tracediag grep 'call == connect and errno == ECONNREFUSED' server.strace
    tracediag grep 'fd.peer.port == 5432 and duration > 100ms' --by process.comm server.strace
    tracediag grep 'count by path [errno == ENOENT] >= 100' server.strace

Each call is printed in full, its halves joined, with the line of its start. docs/query.md
explains the language; --names lists what a query reads. The exit code is 0, also
without a match.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from tracediag.commands import answers
from tracediag.commands.errors import ExitCode, UsageError
from tracediag.commands.numbers import number
from tracediag.commands.output import look_of, say, write
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import ReportFiles, add_report
from tracediag.commands.traces import asked_of
from tracediag.report import Look
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.overviews.searching.search import Searching
    from tracediag.query import Query, QueryError
    from tracediag.query.names import Name
    from tracediag.results.search import Found

_ROWS = 50
_AT_ONCE = 64
"""Matches that are written together: a flush for each would cost more than the search."""


class Options(answers.Options, kw_only=True):
    """What `tracediag grep` takes."""

    query: str | None = None
    names: bool = False
    count: bool = False
    by: str | None = None
    why: bool = False
    context: int = 0
    around: bool = False
    limit: int | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("query", metavar="QUERY", nargs="?", help="what to look for: see docs/query.md")
    parser.add_argument(
        "traces", metavar="TRACE", nargs="*", help='a trace; "-" is standard input, and may be omitted after a pipe'
    )
    parser.add_argument("--names", action="store_true", help="list what a query reads: names, classes, objects")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("-c", "--count", action="store_true", help="print only the number of matches")
    shape.add_argument("--by", metavar="NAME", help='group the calls by a name, such as errno or arg("flags")')
    parser.add_argument("--why", action="store_true", help="print which parts of the query match, and what")
    parser.add_argument("-C", "--context", type=number, metavar="N", default=0, help="print N lines before and after")
    parser.add_argument(
        "--around", action="store_true", help="with -C: calls on the same open file description instead of lines"
    )
    parser.add_argument(
        "-n",
        "--limit",
        type=number,
        metavar="N",
        help=f"at most N matches; of --by, N rows (default: all, {_ROWS} rows)",
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the matches in each trace; one that cannot be read does not prevent the others."""
    from tracediag.query import QueryError, compile_field, compile_query

    if options.names:
        from tracediag.commands.names import listing

        write(listing(look_of(sys.stdout, options.color)))
        return ExitCode.CLEAN
    if options.query is None:
        raise UsageError("no QUERY given; see --help and docs/query.md")
    text, traces = asked_of("grep", "QUERY", options.query, options.traces)
    options = msgspec.structs.replace(options, traces=traces)
    try:
        query = compile_query(text)
        field = None if options.by is None else compile_field(options.by)
    except QueryError as error:
        _point(error)
        return ExitCode.FAULT
    if options.around and options.context < 1:
        raise UsageError("--around needs -C N: the number of calls before and after")

    def search(trace: str, files: ReportFiles, several: bool) -> None:
        _search(trace, query, field, options, files, titled=several)

    return answers.for_each(options, search)


def _point(error: QueryError) -> None:
    """Print the line of the query, a caret under the column, and the message."""
    lines = error.text.split("\n")
    line = lines[min(error.line, len(lines)) - 1]
    if line.isprintable():
        say(line)
        say(f"{' ' * (error.column - 1)}^ {error.message}")
    else:
        say(str(error))


def _search(
    trace: str, query: Query, field: Name | None, options: Options, files: ReportFiles, *, titled: bool
) -> None:
    from tracediag.overviews.searching.context import Lines, NoContext
    from tracediag.overviews.searching.search import Searching
    from tracediag.report.visible import visible

    around = Lines(options.context, by_object=options.around) if options.context > 0 else NoContext()
    model, every = (False, False) if field is None else (field.model, field.every)
    with progress_of(trace, quiet=options.quiet) as progress:
        search = Searching(
            trace, query, surroundings=around, why=options.why, model=model, every=every, progress=progress
        )
        title = f"{visible(trace)}\n" if titled and options.format == "full" and not options.count else ""
        found = _Counted()
        if options.count:
            found.number = search.count()
            write(f"{visible(trace)}: {found.number}\n" if titled else f"{found.number}\n")
        elif field is not None:
            found.number = _group(search, field, options, files, title)
        else:
            _print(search, query, found, options, files, title)
    _tell(trace, search, found.number, options)


class _Counted:
    """Counts what passes."""

    number = 0

    def through(self, matches: Iterable[Found], limit: int) -> Iterator[Found]:
        """Yield the matches, at most so many (0: all)."""
        for found in matches:
            self.number += 1
            yield found
            if self.number == limit:
                return


def _group(search: Searching, field: Name, options: Options, files: ReportFiles, title: str) -> int:
    from tracediag.report.search import groups_document, table

    groups = search.grouped(field, max(_ROWS if options.limit is None else options.limit, 0))

    def rendered(form: str, look: Look) -> str:
        return groups_document(groups) if form == "json" else title + table(groups, look)

    write(rendered(options.format, look_of(sys.stdout, options.color)))
    files.write(lambda name: [rendered(name, Look())])
    return groups.calls


def _print(
    search: Searching, query: Query, counted: _Counted, options: Options, files: ReportFiles, title: str
) -> None:
    from tracediag.report.search import Lines, document

    matches: Iterable[Found] = counted.through(search, max(options.limit or 0, 0))
    if options.report:  # the copies need them once more
        matches = tuple(matches)

    def rendered(form: str, look: Look) -> Iterator[str]:
        if form == "json":
            yield from document(query.text, matches, search.source)
            return
        yield title
        yield from Lines(look).render(matches)

    pieces = rendered(options.format, look_of(sys.stdout, options.color))
    while some := tuple(islice(pieces, _AT_ONCE)):
        write("".join(some))
    files.write(lambda name: rendered(name, Look()))


def _tell(trace: str, search: Searching, number: int, options: Options) -> None:
    source = search.source()
    if source.damage is not None:
        say(f"{trace}: {source.damage}")
    if search.unchecked:
        say(f"{trace}: {search.unchecked}")
    lost = f" ({source.not_understood:,} not understood)" if source.not_understood else ""
    matches = f"{number:,} match{'' if number == 1 else 'es'}"
    is_partial = options.limit == number and options.by is None and not options.count
    read = f"{plural(source.lines, 'line')}{lost}, {matches}"
    options.tell(f"{trace}: {f'the first {matches}' if is_partial else read}")
