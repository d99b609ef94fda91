"""List the rules (code, name, severity, summary), check rules of your own, or create a new one.

    tracediag rules check DIR

checks the pages in DIR, all errors at once: code, name, head, conditions that cannot be as meant, and that each trace
on a page shows what the page says. The exit code is 1 if something is wrong.

    tracediag rules new NAME

creates the files of a new rule in a checkout of tracediag: the rule and its page in the folder of its family, and two
programs to record in samples/NAME. The rule gets the next free code; no file is overwritten.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tracediag.commands.configured import ConfiguredOptions, add_configured
from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, say, write
from tracediag.commands.ownrules import folder_of_rules, rule_set_of
from tracediag.commands.parser import add_common
from tracediag.report import Look
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.rules import Rule


class Options(ConfiguredOptions, kw_only=True):
    """What `tracediag rules` takes."""

    format: Literal["table", "full", "json"] = "table"
    action: Literal["check", "new"] | None = None
    folders: tuple[str, ...] = ()
    name: str = ""
    family: str | None = None
    dir: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="list format (default: table)")
    add_configured(parser)
    parser.usage = "%(prog)s [OPTIONS] [check DIR... | new NAME]"
    actions = parser.add_subparsers(dest="action", metavar="check|new", prog="tracediag rules")
    actions.unknown = _unknown  # type: ignore[attr-defined]
    check = actions.add_parser(
        "check", help="check rules of your own", description="Check the rules that are pages in DIR: docs/own-rules.md."
    )
    check.add_argument("folders", metavar="DIR", nargs="+", help="a folder of pages")
    check.add_argument("--format", choices=("full", "json"), default="full", help="report format (default: full)")
    add_common(check)
    new = actions.add_parser(
        "new", help="create a new rule", description="Create the files of a new rule in a checkout of tracediag."
    )
    new.add_argument("name", metavar="NAME", help="the fault, as words joined by hyphens: double-close")
    new.add_argument("--family", metavar="FAMILY", help="folder of the rule (default: that of the most similar rule)")
    new.add_argument("--dir", metavar="DIR", help="the checkout (default: the one that tracediag runs from)")
    add_common(new)


def _unknown(word: str) -> str:
    word = shlex.quote(word)
    return f"{word} is neither `check` nor `new`; the page of a rule: tracediag explain {word}"


def run(options: Options) -> int:
    """Print all rules, by code, check some, or create a new one."""
    if options.action == "new":
        return _begin(options)
    if options.action == "check":
        return _check(options)
    rules = rule_set_of(options).rules
    write(_json(rules) if options.format == "json" else _table(rules, look_of(sys.stdout, options.color)))
    return 0


def _check(options: Options) -> int:
    from tracediag.checking import check_folders
    from tracediag.ownrules.folder import pages_in
    from tracediag.report.problems import document, picture

    for folder in options.folders:
        folder_of_rules(folder)
    empty = [folder for folder in options.folders if next(pages_in(folder), None) is None]
    found = check_folders(options.folders)
    look = look_of(sys.stdout, options.color)
    write(document(found) if options.format == "json" else picture(found, look))
    traces = f"{plural(found.traces, 'trace')} analysed"
    options.tell(f"{plural(found.pages, 'page')}, {traces}: {plural(len(found.problems), 'problem')}")
    for folder in empty:
        say(f"{folder}: no rule: none of its files is a page, NAME.md with a head between two lines `---`")
    if empty:
        return ExitCode.FAULT
    return ExitCode.FINDINGS if found.problems else ExitCode.CLEAN


def _begin(options: Options) -> int:
    from tracediag.commands.scaffold import scaffold

    checkout = Path(options.dir) if options.dir is not None else Path(__file__).resolve().parents[2]
    code, paths = scaffold(checkout, options.name, options.family)
    write("".join(f"{path}\n" for path in paths))
    for line in (
        f"next: write bug.c and fixed.c of {code}, then record them: sh samples/{options.name}/record.sh",
        "then: put both traces on the page, cut to the lines that matter; replace everything in capitals",
        f"then: write the rule, and run: .venv/bin/python -m pytest -k {options.name} --rewrite-pages",
    ):
        options.tell(line)
    return 0


def _json(rules: tuple[type[Rule], ...]) -> str:
    fields = ("code", "name", "severity", "maturity", "summary")
    listed = [
        {name: getattr(rule, name) for name in fields} | {"needs": list(rule.needs), "own": rule.is_own()}
        for rule in rules
    ]
    return json.dumps(listed, indent=2) + "\n"


def _table(rules: tuple[type[Rule], ...], look: Look) -> str:
    from tracediag.report.canvas import Canvas

    canvas = Canvas(look)
    width = max((len(rule.name) for rule in rules), default=0)
    code = max((len(rule.code) for rule in rules), default=0)
    for rule in rules:
        canvas.line(
            (f"{rule.code:<{code}}  ", "place"),
            (f"{rule.name:<{width}}  ", "name"),
            (f"{rule.severity:<7}  ", rule.severity),
            (rule.summary, "plain"),
        )
    return canvas.take()
