"""Writes man/tracediag.1, the manual page, from the parser of the command line: `make man`.

One page holds all subcommands. Options that several of them have, in the same words, are explained once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tracediag.commands.parser import build_parser

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "man" / "tracediag.1"
_SHARED = 2
"""Subcommands that have an option, from which it is explained in a section of its own."""
_WIDTH = 79
"""Columns of a line in the page's source."""
_EVERY = ("-h", "--color", "-q", "--debug", "--version")
"""Options of every command."""
_EXITS = {
    "0": "No finding at or above the limit of --fail-on (default: warning).",
    "1": "Findings; of rules check, that a page is wrong; of doctor, that a command cannot be recorded.",
    "2": "Usage error, output that cannot be written, or internal error.",
    "3": "The input cannot be read.",
}
_ENVIRONMENT = {
    "NO_COLOR, FORCE_COLOR": "Never, or always, colour the output; --color is stronger.",
    "COLUMNS": "The width of the terminal.",
    "PAGER": "Shows the page of a rule on a terminal; less -R where it is not set.",
    "XDG_CACHE_HOME": "The folder tracediag in it keeps tables that make a start faster; ~/.cache where it is not set.",
}
_FILES = {
    "tracediag.toml, pyproject.toml": "The configuration: the nearest one from the working directory upwards; of "
    "pyproject.toml the table tool.tracediag.",
    "TRACE.proc.json": "What /proc showed of the processes that run -p attached to; analyze uses it if it is there.",
}
_EXAMPLES = {
    "Record a server and diagnose it:": "strace -f -ttt -T -yy -s 128 -o server.strace ./server\n"
    "tracediag analyze server.strace",
    "The same in one step, with the trace kept:": "tracediag run --keep server.strace -- ./server",
    "Find out why a process hangs:": "tracediag run -p 4711 --for 5s",
    "Find out why a message was printed:": 'tracediag why "Permission denied" server.strace',
    "See what was open at a line:": "tracediag state server.strace:1324",
}
_SPECIAL = str.maketrans({"\\": "\\e", "-": "\\-", "~": "\\(ti", "^": "\\(ha", "'": "\\(aq", "`": "\\(ga"})
_CODE = re.compile(r"`([^`]+)`")


def manual(date: str) -> str:
    """Return the page, with the date of its last change."""
    parser = build_parser()
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    subparsers = dict(commands.choices)
    shared = _shared(subparsers.values())
    lines = [
        '.\\" Written by docs/making/manual.py.',
        f'.TH TRACEDIAG 1 {date} "tracediag {_version()}" "User Commands"',
        ".SH NAME",
        "tracediag \\- diagnose what is wrong with a program from its strace output",
        ".SH SYNOPSIS",
        ".B tracediag",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
        *_prose((parser.description or "").partition("\n\nExit codes")[0]),
        ".SH COMMANDS",
        *(line for name, subparser in subparsers.items() for line in _command(f"tracediag {name}", subparser, shared)),
        ".SH COMMON OPTIONS",
        *(line for action in shared.values() for line in _option(action)),
        *_definitions("EXIT STATUS", _EXITS),
        "With \\fB\\-\\-exit\\-with\\-command\\fR, \\fBrun\\fR exits with the status of a command that fails.",
        *_definitions("ENVIRONMENT", _ENVIRONMENT),
        *_definitions("FILES", _FILES),
        ".SH EXAMPLES",
        *(line for text, code in _EXAMPLES.items() for line in (".PP", _text(text), *_shown(code.splitlines()))),
        ".SH SEE ALSO",
        ".BR strace (1),",
        ".BR ptrace (2),",
        ".BR proc (5)",
    ]
    return "\n".join(_tidied(lines)) + "\n"


def _tidied(lines: list[str]) -> Iterator[str]:
    """Yield the lines without paragraphs that are empty, and no longer than is usual; what is shown stays as it is."""
    as_it_is, before = False, ""
    for line, following in itertools.pairwise([*lines, ".SH"]):
        as_it_is = line == ".EX" or (as_it_is and line != ".EE")
        if line == ".PP" and (before.startswith((".SH", ".SS")) or following.startswith((".SH", ".SS"))):
            continue
        before = line
        if as_it_is or line.startswith(".") or len(line) <= _WIDTH:
            yield line
        else:
            broken = textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
            yield from (f"\\&{piece}" if piece.startswith(".") else piece for piece in broken)


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _shared(subparsers: Iterable[argparse.ArgumentParser]) -> dict[str, argparse.Action]:
    """Return the options that several subcommands have in the same words, those of every command last."""
    every = [action for subparser in subparsers for action in subparser._actions if action.option_strings]
    times = Counter(map(_key, every))
    most = {action.option_strings[0]: _key(action) for action in sorted(every, key=lambda each: times[_key(each)])}
    found = {_key(action): action for action in every if times[_key(action)] >= _SHARED}
    found = {key: action for key, action in found.items() if most[action.option_strings[0]] == key}
    return dict(sorted(found.items(), key=lambda item: item[1].option_strings[0] in _EVERY))


def _key(action: argparse.Action) -> str:
    return f"{action.option_strings} {action.help}"


def _command(name: str, parser: argparse.ArgumentParser, shared: dict[str, argparse.Action]) -> Iterator[str]:
    """Yield the section of a subcommand, and those of what is below it."""
    yield f".SS {_text(name)}"
    yield from _synopsis(name, parser)
    yield from _prose(parser.description or "")
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for action in parser._actions:
        if action not in below and (not action.option_strings or _key(action) not in shared):
            yield from _option(action)
    also = [action.option_strings[-1] for action in parser._actions if action.option_strings and _key(action) in shared]
    also = [option for option in also if option not in ("--help", "--color", "--quiet", "--debug", "--version")]
    if also:
        yield ".PP"
        yield f"Common options: {', '.join(f'{_bold(option)}' for option in also)}."
    for action in below:
        for word, subparser in action.choices.items():
            yield from _command(f"{name} {word}", subparser, shared)


def _synopsis(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    usage = (parser.usage or "").replace("%(prog)s", name)
    forms = usage.splitlines() or [" ".join([name, "[OPTIONS]", *map(_operand, _operands(parser))])]
    yield from _shown([form.strip() for form in forms])


def _operands(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]


def _operand(action: argparse.Action) -> str:
    """Return an argument as in a synopsis: [TRACE ...]."""
    name = _name(action)
    return {"*": f"[{name} ...]", "+": f"{name} ...", "?": f"[{name}]"}.get(str(action.nargs), name)


def _name(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _option(action: argparse.Action) -> Iterator[str]:
    """Yield an option, or an argument, and what it is for."""
    yield ".TP"
    value = "" if action.nargs == 0 else f" \\fI{_text(_name(action))}\\fR"
    names = ", ".join(_bold(option) for option in action.option_strings)
    yield f"{names}{value}" if names else value.strip()
    yield _text((action.help or "").replace("%%", "%"))


def _definitions(title: str, meanings: dict[str, str]) -> Iterator[str]:
    yield f".SH {title}"
    for word, meaning in meanings.items():
        yield from (".TP", _bold(word), _text(meaning))
    yield ".PP"


def _prose(text: str) -> Iterator[str]:
    """Yield paragraphs; what is indented is shown as it stands."""
    for paragraph in filter(None, text.strip().split("\n\n")):
        if paragraph.startswith(" "):
            yield from _shown([line[4:] for line in paragraph.splitlines()])
        else:
            yield from (".PP", _text(" ".join(paragraph.split())))


def _shown(lines: list[str]) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".EX", *map(_text, lines), ".EE", ".RE")


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _text(text: str) -> str:
    """Return text in which nothing is a request; what stands between backticks is bold."""
    pieces = _CODE.split(text)
    shown = "".join(f"\\fB{_plain(piece)}\\fR" if number % 2 else _plain(piece) for number, piece in enumerate(pieces))
    return f"\\&{shown}" if shown.startswith((".", "\\(aq")) else shown


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)


def body(page: str) -> str:
    """Return a page without its line `.TH`, which holds the date."""
    return re.sub(r"^\.TH .*\n", "", page, flags=re.MULTILINE)


if __name__ == "__main__":
    fresh = manual(dt.datetime.now(tz=dt.UTC).date().isoformat())
    if not PAGE.is_file() or body(PAGE.read_text("utf-8")) != body(fresh):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(fresh, "utf-8")
