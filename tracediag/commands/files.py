"""List the files: read, written, deleted, executed, mapped, refused, not found.

    tracediag files build.strace
    tracediag files --written --under /etc install.strace
    tracediag files --not-found server.strace

One row a path, with the bytes moved and the programs that used it. Lookups of one name in several directories are one
search, with the place where it was found. Files of the system (shared libraries, locales, /proc) and of crowded
directories share a row; --all prints each. `summary --by file` counts and times the calls instead.
"""

from __future__ import annotations

import argparse

from tracediag.commands import answers
from tracediag.commands.reports import add_report
from tracediag.commands.traces import add_traces

_ROWS = 40


class Options(answers.Options, kw_only=True):
    """What `tracediag files` takes."""

    written: bool = False
    not_found: bool = False
    under: str | None = None
    all: bool = False
    limit: int = _ROWS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--written", action="store_true", help="only files that were written, created or deleted")
    which.add_argument("--not-found", action="store_true", help="only what was looked for and not found, and searches")
    parser.add_argument("--under", metavar="DIR", help="only files in this directory and below")
    parser.add_argument("--all", action="store_true", help="a row for each file, also those of the system")
    answers.add_rows(parser, _ROWS)
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the files of each trace."""
    from tracediag.overviews.files.listing import list_files
    from tracediag.overviews.files.selection import select_files
    from tracediag.report.files import document, picture
    from tracediag.trace.quantities import plural

    def ask(trace: str, progress: answers.Progress | None) -> answers.Answer:
        everything = list_files(trace, progress)
        found = select_files(everything, written=options.written, not_found=options.not_found, under=options.under)
        return answers.Answer(
            found.source,
            lambda: document(found),
            lambda look: picture(found, look, complete=options.all, limit=max(options.limit, 0)),
            plural(len(everything.files), "file"),
        )

    return answers.print_answers(options, ask)
