"""The command line parser: the common options, and the subcommands."""

from __future__ import annotations

import argparse
import difflib
import importlib
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol, cast

import msgspec

from tracediag.commands import NAMES
from tracediag.commands.helping import Parser
from tracediag.commands.output import say, write
from tracediag.commands.places import is_file
from tracediag.report.visible import visible

_DESCRIPTION = """Reads an strace log as an expert would, and reports what is wrong, with proof.

    strace -f -ttt -T -yy -s 128 -o server.strace ./server
    tracediag analyze server.strace

Exit codes: 0 no finding at or above --fail-on; 1 findings; 2 usage or internal error; 3 unreadable input."""


class CommonOptions(msgspec.Struct, kw_only=True):
    """The options of every subcommand."""

    color: Literal["auto", "always", "never"] = "auto"
    quiet: bool = False
    debug: bool = False

    def tell(self, message: str) -> None:
        """Write one informational line to standard error, unless --quiet is given; not for errors."""
        if not self.quiet:
            say(message)


class CommandModule(Protocol):
    """The interface of a subcommand's module."""

    __doc__: str | None
    Options: type[CommonOptions]

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""

    def run(self, options: Any) -> int:
        """Do the work."""


def load(name: str) -> CommandModule:
    """Return the module of a subcommand."""
    return cast("CommandModule", importlib.import_module(f"tracediag.commands.{name}"))


def build_parser(names: Iterable[str] = NAMES) -> argparse.ArgumentParser:
    """Return the parser of the command line, for these subcommands: loading what the others need takes time."""
    parser = Parser(prog="tracediag", description=_DESCRIPTION)
    add_common(parser)
    subparsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", prog="tracediag")
    for name in names:
        module = load(name)
        text = module.__doc__ or ""
        subparser = subparsers.add_parser(name, help=text.partition("\n")[0].rstrip("."), description=text)
        module.configure(subparser)
        add_common(subparser)
    return parser


def parse(arguments: Sequence[str]) -> tuple[CommandModule, CommonOptions]:
    """Return the subcommand and its options; argparse exits the program if they are invalid."""
    word = _command_word(arguments)
    parser = build_parser((word,) if word in NAMES else NAMES)
    if word is not None and word not in NAMES:
        parser.error(_no_command(word))
    namespace, rest = parser.parse_known_args(arguments)
    if rest:
        _take_rest(parser, namespace, rest)
    if namespace.subcommand is None:  # not argparse's to require: it would hide an unknown option
        parser.error(f"COMMAND is missing; commands: {', '.join(NAMES)}")
    module = load(namespace.subcommand)
    return module, msgspec.convert(vars(namespace), module.Options)


def _take_rest(parser: argparse.ArgumentParser, namespace: argparse.Namespace, rest: list[str]) -> None:
    """Take words that stand after an option that follows the first ones: argparse looks for them only once."""
    place = getattr(namespace, "place", None)
    if place is not None and len(rest) == 1:
        for line, trace in ((rest[0], place), (place, rest[0])):
            if line.isdecimal() and is_file(trace):
                parser.error(f"a line is named as TRACE:LINE; did you mean: {shlex.quote(f'{trace}:{line}')}")
    several = next((name for name in ("traces", "what") if hasattr(namespace, name)), None)
    if several is None or any(word.startswith("-") and word != "-" for word in rest):
        command = getattr(namespace, "subcommand", None)
        hint = f"; tracediag {command} --help lists the options" if command else ""
        parser.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
    setattr(namespace, several, [*getattr(namespace, several), *rest])


def _command_word(arguments: Sequence[str]) -> str | None:
    """Return the word that stands where a command is wanted, if any."""
    words = iter(arguments)
    for word in words:
        if word == "--color":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _no_command(word: str) -> str:
    """Say what is wrong with a word that stands where a command is wanted, and what may have been meant."""
    shown = visible(shlex.quote(word))
    if is_file(word):
        return f"{shown} is a file, not a command; did you mean: tracediag analyze {shown}"
    alike = difflib.get_close_matches(word, NAMES, n=1)
    return f"{shown} is not a command; " + (f"did you mean {alike[0]}?" if alike else f"commands: {', '.join(NAMES)}")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Declare the options allowed before and after the command; a default here would override one given before."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=argparse.SUPPRESS,
        help="colour the report; auto follows the terminal, NO_COLOR and FORCE_COLOR (default: auto)",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=argparse.SUPPRESS,
        help="no progress and no summary on standard error; errors are still reported",
    )
    group.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an internal error"
    )
    group.add_argument("--version", action=_Version, help="print the version and exit")


class _Version(argparse.Action):
    """Looks up the version on demand: importing importlib.metadata is slow."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"nargs": 0, "dest": argparse.SUPPRESS, "default": argparse.SUPPRESS})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        write(f"tracediag {version('tracediag')}\n")
        parser.exit()
