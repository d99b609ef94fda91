"""The options of `analyze` and `run` as they are in force: the command line, then the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tracediag.commands.configured import settings_for
from tracediag.commands.errors import UsageError
from tracediag.commands.hiding import secrets_if
from tracediag.commands.judging import JudgingOptions
from tracediag.commands.ownrules import rule_set_of
from tracediag.commands.publishing import Publisher
from tracediag.commands.reports import Destination
from tracediag.results.report import Report
from tracediag.trace.quantities import plural

if TYPE_CHECKING:
    from tracediag.accepting import Acceptance
    from tracediag.config import Settings
    from tracediag.ownrules import RuleSet

Judging = TypeVar("Judging", bound=JudgingOptions)


class Applied(msgspec.Struct, frozen=True):
    """The rules of a run, and what is done to their findings."""

    rules: RuleSet
    acceptance: Acceptance | None
    """None where all are reported as they are."""


def in_force(options: Judging) -> tuple[Judging, Applied]:
    """Return the options with all that the configuration sets and the command line does not, and what applies.

    Raises:
        UsageError: if the configuration is wrong; for an unknown rule, with suggestions; if no rule is left; if a
            folder of rules, or the baseline, cannot be read.
    """
    settings = settings_for(options)
    found = rule_set_of(options, settings)
    chosen = _chosen(options, settings)
    _check_rules(chosen, settings, found)
    return chosen, Applied(found, _acceptance(chosen, settings, found))


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
        baseline=_baseline(settings) if options.baseline is None else options.baseline,
        baseline_strict=options.baseline_strict or config.baseline_strict,
        select=select,
        extend_select=further,
        ignore=config.ignore if options.ignore is None else options.ignore,
    )


def _baseline(settings: Settings) -> str:
    written = settings.config.baseline
    return settings.path("baseline", written) if written else ""


def _acceptance(options: JudgingOptions, settings: Settings, found: RuleSet) -> Acceptance | None:
    if not (settings.config.ignores or settings.config.severities or options.baseline):
        return None
    from tracediag.accepting import Acceptance, Baseline, BaselineError
    from tracediag.rules import UnknownRuleError, find_rules

    def names(words: str | Iterable[str]) -> list[str]:
        return [rule.name for rule in find_rules(words, found.rules)]

    for key in ("ignores", "severities"):
        for place, each in enumerate(getattr(settings.config, key)):
            try:
                names(each.rule)
            except UnknownRuleError as error:
                raise UsageError(f"{settings.where(key, place)}: {key}: {error}") from None
    left_out = set(names(options.ignore or ()))
    applied = set(names(selected(options)) or (rule.name for rule in found.rules)) - left_out
    try:
        baseline = Baseline.read(options.baseline) if options.baseline else None
    except BaselineError as error:
        raise UsageError(str(error)) from None
    return Acceptance(settings, names, applied, baseline)


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


def publish_entries(
    publisher: Publisher,
    reports: list[Report],
    options: JudgingOptions,
    acceptance: Acceptance | None,
    *,
    complete: bool = True,
) -> list[Report]:
    """Write what the run has shown of the ignores and of the baseline, and return it: it counts for the exit code.

    `reports` are those on the traces; `complete` if all traces were read.
    """
    if acceptance is None:
        return []
    known, ignored = len(acceptance.seen), len(acceptance.ignored)
    if ignored:
        options.tell(f"the configuration ignores {plural(ignored, 'finding')}")
    if acceptance.baseline is not None:
        path = acceptance.baseline.path
        secrets = secrets_if(options.redact)
        options.tell(f"{path}: {plural(known, 'known finding')} left out")
        if complete and not options.baseline_strict:
            for each in acceptance.fixed(reports):
                line = f"{path}: fixed: {each.name} of {each.trace}:{each.line}: {each.title}"
                options.tell(line if secrets is None else secrets.redactor().text(line))
    told = list(acceptance.reports(reports, complete=complete, strict=options.baseline_strict))
    for report in told:
        publisher.publish_entry(report)
    return told
