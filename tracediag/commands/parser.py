"""The command line's grammar: what every subcommand shares, and the tree of them all."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
from collections.abc import Sequence
from typing import Any, Literal, Protocol, cast

import msgspec
from rich_argparse import RawDescriptionRichHelpFormatter

from tracediag.commands import NAMES
from tracediag.commands.output import write
from tracediag.report.visible import visible

_DESCRIPTION = """Reads an strace log as an expert would, and tells what is wrong, with proof.

Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 usage, or a fault of tracediag; 3 unreadable input."""


class CommonOptions(msgspec.Struct, kw_only=True):
    """What every subcommand takes."""

    color: Literal["auto", "always", "never"] = "auto"
    debug: bool = False


class CommandModule(Protocol):
    """What a module of a subcommand holds."""

    __doc__: str | None
    Options: type[CommonOptions]

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""

    def run(self, options: Any) -> int:
        """Do the work."""


def load(name: str) -> CommandModule:
    """Return the module of a subcommand."""
    return cast("CommandModule", importlib.import_module(f"tracediag.commands.{name}"))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tracediag", description=_DESCRIPTION, formatter_class=RawDescriptionRichHelpFormatter
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for name in NAMES:
        module = load(name)
        text = module.__doc__ or ""
        subparser = subparsers.add_parser(
            name,
            help=text.partition("\n")[0].rstrip("."),
            description=text,
            formatter_class=RawDescriptionRichHelpFormatter,
        )
        module.configure(subparser)
        _add_common(subparser)
    return parser


def parse(arguments: Sequence[str]) -> tuple[CommandModule, CommonOptions]:
    """Return the subcommand that was asked for, with its options; argparse ends the program where they are wrong."""
    parser = build_parser()
    if arguments and _is_trace(arguments[0]):
        shown = visible(shlex.quote(arguments[0]))
        parser.error(f"{shown} is a file and no command; to diagnose a trace: tracediag analyze {shown}")
    namespace = parser.parse_args(arguments)
    module = load(namespace.subcommand)
    return module, msgspec.convert(vars(namespace), module.Options)


def _is_trace(word: str) -> bool:
    """Whether somebody has named a file where a command is wanted."""
    named = word not in NAMES and not word.startswith("-")
    return named and os.path.isfile(word)  # noqa: PTH113 - Path.is_file raises where a name is too long


def _add_common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour the report; auto heeds the terminal, NO_COLOR and FORCE_COLOR (default: auto)",
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of a fault of tracediag's own")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: importlib.metadata is slow to import."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"nargs": 0, "dest": argparse.SUPPRESS, "default": argparse.SUPPRESS})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        write(f"tracediag {version('tracediag')}\n")
        parser.exit()
