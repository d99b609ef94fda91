"""What is done to each finding of a run: left out, given another severity, or kept; and what that shows in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

import msgspec

from tracediag.accepting.baseline import Baseline, Known
from tracediag.accepting.scope import fits
from tracediag.accepting.told import EXPIRED, FIXED, UNUSED, report_on
from tracediag.config import Found, Settings
from tracediag.config.schema import Ignore
from tracediag.results.findings import Finding, Severity, Step
from tracediag.results.report import Report

Programs = Callable[[int | None], str | None]
"""Returns the path of the program of a pid."""


class Entry(msgspec.Struct):
    """An entry of `ignores`, and how many incidents it has left out."""

    place: int
    ignore: Ignore
    rules: frozenset[str]
    """Names of the rules that it is about; none for all."""
    expired: bool
    used: int = 0

    def fits(self, finding: Finding, programs: Programs) -> bool:
        """Whether it leaves a finding out."""
        if self.expired or (self.rules and finding.name not in self.rules):
            return False
        program = programs(finding.primary.pid) if self.ignore.program else None
        return fits(self.ignore, finding, program)


class Counted(msgspec.Struct, frozen=True):
    """What an acceptance has counted, so that a process that judges some of the traces can hand it to another."""

    used: tuple[int, ...]
    seen: frozenset[str]
    ignored: frozenset[str]


class Acceptance:
    """The ignores, severities and baseline of a run. A new one for each run: it counts."""

    def __init__(
        self,
        settings: Settings,
        rules_of: Callable[[str | Iterable[str]], Iterable[str]],
        applied: Iterable[str],
        baseline: Baseline | None = None,
        today: date | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            settings: the configuration in force.
            rules_of: the names of the rules that some words mean; raises UnknownRuleError.
            applied: the names of the rules that apply: what is about another one is not judged.
            baseline: the known findings.
            today: the date that `until` is compared with.
        """
        today = today or date.today()  # noqa: DTZ011 - a date in a file is one of the reader's own calendar
        self._settings, self._applied = settings, frozenset(applied)
        self.entries = [
            Entry(place, each, frozenset(rules_of(each.rule)), each.until is not None and each.until < today)
            for place, each in enumerate(settings.config.ignores)
        ]
        self._severities: dict[str, Severity] = {
            name: each.severity for each in settings.config.severities for name in rules_of(each.rule)
        }
        self.baseline = baseline
        self._known = frozenset(known.fingerprint for known in baseline.known) if baseline else frozenset()
        self.seen: set[str] = set()
        """The fingerprints of the baseline that the run has shown."""
        self.ignored: set[str] = set()

    def __bool__(self) -> bool:
        """Whether any finding may be changed."""
        return bool(self.entries or self._severities or self._known)

    def __call__(self, finding: Finding, programs: Programs) -> Finding | None:
        """Return a finding as it is to be reported, None if it is not."""
        for entry in self.entries:
            if entry.fits(finding, programs):
                entry.used += 1
                self.ignored.add(finding.fingerprint)
                return None
        if finding.fingerprint in self._known:
            self.seen.add(finding.fingerprint)
            return None
        severity = self._severities.get(finding.name, finding.severity)
        return finding if severity == finding.severity else msgspec.structs.replace(finding, severity=severity)

    def take_counted(self) -> Counted:
        """Return what was counted since the last time, and count from nothing."""
        counted = Counted(tuple(entry.used for entry in self.entries), frozenset(self.seen), frozenset(self.ignored))
        for entry in self.entries:
            entry.used = 0
        self.seen.clear()
        self.ignored.clear()
        return counted

    def add(self, counted: Counted) -> None:
        """Add what the same acceptance has counted in another process."""
        for entry, used in zip(self.entries, counted.used, strict=True):
            entry.used += used
        self.seen |= counted.seen
        self.ignored |= counted.ignored

    def fixed(self, reports: Sequence[Report]) -> tuple[Known, ...]:
        """Return what the baseline holds and no trace of the run shows, of the rules that could judge all of them."""
        if self.baseline is None:
            return ()
        judged = self._judged(reports)
        gone = self.seen | self.ignored
        return tuple(each for each in self.baseline.known if each.name in judged and each.fingerprint not in gone)

    def _judged(self, reports: Sequence[Report]) -> frozenset[str]:
        blind = {each.rule for report in reports for each in report.blind}
        broken = {each.rule for report in reports for each in report.broken}
        return self._applied - blind - broken

    def reports(self, reports: Sequence[Report], *, complete: bool, strict: bool) -> Iterator[Report]:
        """Yield the report on each file of entries that has findings.

        Args:
            reports: those on the traces.
            complete: whether all traces were read; else no entry counts as unused or fixed.
            strict: whether the baseline may only shrink.
        """
        found = None if "ignores" in self._settings.assigned else self._settings.found
        judged = self._judged(reports)
        told = [
            self._told(entry, found)
            for entry in self.entries
            if entry.expired or (complete and not entry.used and (not entry.rules or entry.rules & judged))
        ]
        if told:
            path, text = ("--config", "") if found is None else (str(found.path), found.text)
            yield report_on(path, text.count("\n"), told)
        if self.baseline is not None and strict and complete and (gone := self.fixed(reports)):
            places = self.baseline.places()
            listed = [_gone(self.baseline, known, places.get(known.fingerprint, 1)) for known in gone]
            yield report_on(self.baseline.path, len(self.baseline.lines), listed)

    def _told(self, entry: Entry, found: Found | None) -> Finding:
        """Return the finding about an entry, at its line in the file."""
        line = 1 if found is None else found.line("ignores", entry.place)
        text = "" if found is None else (found.text.splitlines()[line - 1 : line] or [""])[0]
        said = entry.ignore.described
        if entry.expired:
            title = f"the ignore of {said} expired on {entry.ignore.until}: {entry.ignore.reason}"
            note = f"its last day has passed: {said}"
            return EXPIRED.finding(Step(line=line, text=text, note=note, primary=True), title, said)
        title = f"the ignore of {said} fits no finding: {entry.ignore.reason}"
        return UNUSED.finding(Step(line=line, text=text, note=f"fits nothing: {said}", primary=True), title, said)


def _gone(baseline: Baseline, known: Known, line: int) -> Finding:
    step = Step(line=line, text=baseline.lines[line - 1].strip(), note=f"no longer found: {known.name}", primary=True)
    return FIXED.finding(step, f"{known.name} of {known.trace}:{known.line} is fixed: {known.title}", known.fingerprint)
