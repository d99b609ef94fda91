"""The rules of the user's own that a command applies: those of `--rules` and of the configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from tracediag.commands.configured import ConfiguredOptions, settings_for
from tracediag.commands.errors import UsageError
from tracediag.commands.output import say

if TYPE_CHECKING:
    from tracediag.config import Settings
    from tracediag.ownrules import RuleSet


def rule_set_of(options: ConfiguredOptions, settings: Settings | None = None) -> RuleSet:
    """Return all rules, with the thresholds that are set, and say what is wrong with those that cannot be loaded.

    `settings` if they are known.

    Raises:
        UsageError: if a folder cannot be read, or the configuration is wrong.
    """
    from tracediag.ownrules import load_rules

    settings = settings or settings_for(options)
    where = settings.where("rules")
    configured = [
        folder_of_rules(settings.path("rules", each) if each else "", f"{where}: ") for each in settings.config.rules
    ]
    found = load_rules([folder_of_rules(each) for each in options.rules] + configured)
    for problem in found.problems:
        say(str(problem))
    if thresholds := settings.config.thresholds.changed:
        from tracediag.rules.thresholds import adapted

        return msgspec.structs.replace(found, rules=adapted(found.rules, thresholds))
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
