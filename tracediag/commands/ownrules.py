"""The rules of the user's own that a command applies: those of `--rules` and of the configuration."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.commands.errors import UsageError
from tracediag.commands.output import say

if TYPE_CHECKING:
    from tracediag.ownrules import RuleSet


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Declare --rules."""
    parser.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="also apply the rules that are pages in DIR (may be repeated); the configuration may name more",
    )


def rule_set_of(folders: Iterable[str]) -> RuleSet:
    """Return all rules, and say of each that cannot be loaded what is wrong with it.

    Raises:
        UsageError: if a folder cannot be read, or the configuration is wrong.
    """
    from tracediag.ownrules import load_rules

    found = load_rules([folder_of_rules(each) for each in folders] + _configured())
    for problem in found.problems:
        say(str(problem))
    return found


def folder_of_rules(path: str, named: str = "") -> str:
    """Return a folder of rules; `named` is the place that names it, if that is no option.

    Raises:
        UsageError: if it is no folder.
    """
    if not path or not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        lies = "a file; name the folder that it lies in" if os.path.isfile(path) else "no such folder of rules"  # noqa: PTH113
        raise UsageError(f"{named}{path or repr(path)}: {lies}")
    return path


def _configured() -> list[str]:
    """Return the folders that the configuration of the working directory names."""
    from tracediag.config import ConfigError, find_config, read_config

    try:
        path = find_config(Path.cwd())
        found = None if path is None else read_config(path)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    except OSError:  # the working directory is gone
        return []
    if found is None:
        return []
    return [folder_of_rules(str(each), f"{found.path}:{found.line('rules')}: ") for each in found.rules]
