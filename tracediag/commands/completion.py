"""Print a completion script for a shell.

Install it where the shell finds it:

    tracediag completion bash > ~/.local/share/bash-completion/completions/tracediag
    tracediag completion zsh > DIR/_tracediag         # DIR: a folder of $fpath
    tracediag completion tcsh > ~/.tracediag.tcsh     # source it in ~/.tcshrc
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Literal

from tracediag.commands.output import write
from tracediag.commands.parser import CommonOptions, build_parser

_PATHS = ("TRACE", "FILE", "DIR", "FILE|KEY=VALUE")
SHELLS = ("bash", "zsh", "tcsh")


class Options(CommonOptions, kw_only=True):
    """What `tracediag completion` takes."""

    shell: Literal["bash", "zsh", "tcsh"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that will load the script")


def run(options: Options) -> int:
    """Print the script."""
    import shtab

    parser = build_parser()
    _set_completions(parser)
    write(shtab.complete(parser, options.shell).rstrip() + "\n")
    return 0


def _set_completions(parser: argparse.ArgumentParser) -> None:
    """Set the completion of each argument: a file, a rule, a fault or a name of the query language, by its metavar."""
    import shtab

    from tracediag.epollserver import FAULTS
    from tracediag.query.history import EARLIER
    from tracediag.query.names import NAMES
    from tracediag.results.grades import Severity
    from tracediag.rules import all_rules
    from tracediag.rules.selection import families_of

    names = {
        "RULE": [rule.name for rule in all_rules()],
        "RULES": [*families_of(all_rules()), *(rule.name for rule in all_rules())],
        "FAMILY": families_of(all_rules()),
        "FAULT": list(FAULTS),
        "LIMIT": [*map(str, Severity), "never"],
        "QUERY": [*NAMES, *EARLIER],
    }
    for action in _actions(parser):
        if action.metavar in _PATHS:
            action.complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar == "NAME" and action.dest == "by":
            action.choices = list(NAMES)
        elif isinstance(action.metavar, str) and action.metavar in names:
            action.choices = names[action.metavar]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for subparser in action.choices.values():
                yield from _actions(subparser)
