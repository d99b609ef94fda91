"""Show how connections, children and opened files live: equal lives are counted, rare ones stand out.

    tracediag lives server.strace
    tracediag lives --of connections server.strace

Each life is folded to its steps: the kinds of calls, with the error of those that failed; loops stand once. Where most
objects of a kind live alike, the rare ones come next, those with an error first, each with its first line; `tracediag
follow` shows that one.
"""

from __future__ import annotations

import argparse
from typing import Literal

from tracediag.commands import answers
from tracediag.commands.reports import add_report
from tracediag.commands.traces import add_traces

_ROWS = 12


class Options(answers.Options, kw_only=True):
    """What `tracediag lives` takes."""

    of: Literal["connections", "files", "children"] | None = None
    limit: int = _ROWS


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument("--of", choices=("connections", "files", "children"), help="only these (default: all)")
    answers.add_rows(parser, _ROWS)
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the lives of each trace."""
    from tracediag.overviews.lives.folder import fold_lives
    from tracediag.report.lives import document, picture
    from tracediag.results.lives import KINDS

    def ask(trace: str, progress: answers.Progress | None) -> answers.Answer:
        lives = fold_lives(trace, KINDS if options.of is None else (options.of,), progress)
        return answers.Answer(
            lives.source, lambda: [document(lives)], lambda look: picture(lives, look, max(options.limit, 0))
        )

    return answers.print_answers(options, ask)
