"""Show the processes: parents and children, what each ran, how it ended.

Each TRACE is the output of strace, plain or compressed; "-" is standard input, and may be omitted after a pipe. The
prefix of the files of `strace -ff` stands for all of them. Each process has a line: its pid, its command line, its
start and duration if the trace has times (-ttt), its number of calls, and its exit status or the signal that killed it,
with the sender.

Below it stands what is special about the process: `in`, a working directory other than that of its parent, and where
the process moved later; `inherits`, the descriptors above 2 that are not close-on-exec, where they first reach another
program; and `env`, the changes of the environment, which only `strace -v` records. With --waits, `waits` is the call in
which it stands at the end, and what would end that.
"""

from __future__ import annotations

import argparse

from tracediag.commands import answers
from tracediag.commands.reports import add_report
from tracediag.commands.traces import add_traces


class Options(answers.Options, kw_only=True):
    """What `tracediag tree` takes."""

    threads: bool = False
    commands: bool = False
    waits: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_traces(parser)
    parser.add_argument(
        "--threads", action="store_true", help="print a line per thread instead of the number of threads"
    )
    parser.add_argument(
        "--commands", action="store_true", help="print a line per program: all of its command line, however long"
    )
    parser.add_argument(
        "--waits",
        action="store_true",
        help="also show in which call each process stands when the trace ends, and what would end it",
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the process tree of each trace."""
    from tracediag.overviews.descent.tree import grow_tree
    from tracediag.report.tree import document, picture

    def ask(trace: str, progress: answers.Progress | None) -> answers.Answer:
        tree = grow_tree(trace, progress, waits=options.waits)
        return answers.Answer(
            tree.source,
            lambda: [document(tree)],
            lambda look: picture(tree, look, threads=options.threads, commands=options.commands),
        )

    return answers.print_answers(options, ask)
