"""The options of `analyze` and `run` as they are in force: the command line, then the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from tracediag.commands.configured import settings_for
from tracediag.commands.errors import UsageError
from tracediag.commands.judging import JudgingOptions
from tracediag.commands.ownrules import rule_set_of
from tracediag.commands.reports import Destination

if TYPE_CHECKING:
    from tracediag.config import Settings
    from tracediag.ownrules import RuleSet

Judging = TypeVar("Judging", bound=JudgingOptions)


def in_force(options: Judging) -> tuple[Judging, RuleSet]:
    """Return the options with all that the configuration sets and the command line does not, and the rules.

    Raises:
        UsageError: if the configuration is wrong; for an unknown rule, with suggestions; if no rule is left; if a
            folder of rules cannot be read.
    """
    settings = settings_for(options)
    found = rule_set_of(options, settings)
    chosen = _chosen(options, settings)
    _check_rules(chosen, settings, found)
    return chosen, found


def _chosen(options: Judging, settings: Settings) -> Judging:
    """Return the options, those that are not given filled in; --select also sets aside `extend-select` of the file."""
    config = settings.config
    select = config.select if options.select is None else options.select
    further = config.extend_select if options.select is None else ()
    further = further if options.extend_select is None else options.extend_select
    written = [text.partition(":") for text in config.output]
    outputs = tuple(Destination(name, settings.path("output", path)) for name, _, path in written)
    return msgspec.structs.replace(
        options,
        format=options.format or config.format,
        report=outputs if options.report is None else options.report,
        fail_on=options.fail_on or config.limits,
        select=select,
        extend_select=further,
        ignore=config.ignore if options.ignore is None else options.ignore,
    )


def _check_rules(options: JudgingOptions, settings: Settings, found: RuleSet) -> None:
    """Raise `UsageError` for a word that names no rule, or if no rule is left."""
    from tracediag.rules import UnknownRuleError, find_rules

    named = {"select": options.select, "extend-select": options.extend_select, "ignore": options.ignore}
    meant = {}
    for key, words in named.items():
        try:
            meant[key] = find_rules(words or (), found.rules)
        except UnknownRuleError as error:
            set_here = tuple(getattr(settings.config, key.replace("-", "_"))) == words
            place = f"{settings.where(key)}: {key}: " if set_here and settings.where(key) != "default" else ""
            raise UsageError(f"{place}{error}") from None
    if meant["select"] and not {*meant["select"], *meant["extend-select"]} - set(meant["ignore"]):
        raise UsageError("no rule left: --ignore excludes every rule that --select names")


def selected(options: JudgingOptions) -> tuple[str, ...]:
    """Return the words that select rules; none if all rules apply, whatever `extend-select` adds."""
    return (*options.select, *(options.extend_select or ())) if options.select else ()
