"""TD008: a time zone or locale that is asked for by name and not installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import report_step, said_by
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_errno, on_process_end
from tracediag.trace.calls import OPENS, STATS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern

_ZONES, _LOCALES = "/zoneinfo/", "/locale/"
_MESSAGES = "/usr/share/locale/"
"""Where translations are looked for, which are optional."""
_ZONE = lazy_pattern(r"/zoneinfo/([A-Z][A-Za-z_+-]*+(?>/[A-Za-z0-9_+-]++)*+)\Z")
"""A zone by its name. One with digits before any slash is a rule, such as CET-1CEST, and needs no file: tzset(3)."""
_LOCALE = lazy_pattern(r"/locale/([a-zA-Z]++[\w.@-]*+)/LC_[A-Z]++\Z")
_RULE = lazy_pattern(r"[A-Za-z]{3,}+[+-]?+[0-9]")
_NEEDLESS = frozenset({"UTC", "GMT", "Universal", "Zulu", "UCT", "localtime"})
"""What a program has without a file as well."""
_MOST = 32


class _Missing(msgspec.Struct, eq=False):
    """A zone or locale that was looked for and not found."""

    name: str
    zone: bool
    first: Syscall
    last: Syscall
    spelling: str
    """The name in the last look-up."""
    times: int = 1

    @property
    def tried(self) -> bool:
        """Whether all spellings of a locale were tried: the last is the language alone, `de` of `de_DE.UTF-8`."""
        return self.zone or not any(sign in self.spelling for sign in "._@")


class ZoneOrLocaleMissing(Rule):
    """No place has the file of a time zone or locale that the program asks for: it uses UTC, or the C locale."""

    code = "TD008"
    name = "zone-or-locale-missing"
    severity = Severity.NOTE
    summary = "a time zone or locale that is asked for by name is not installed: UTC or the C locale is used"
    raised_by = (OPENS,)
    rests_on_successes = True

    def __init__(self) -> None:
        self._missing: Cases[Process, dict[str, _Missing]] = Cases(256)
        self._told: set[str] = set()
        """What was reported: all processes of a script look for the same."""

    @on_errno("ENOENT", of=OPENS | STATS, showing=(_ZONES, _LOCALES))
    def absent(self, action: Action) -> None:
        """Note a look-up that failed."""
        call = action.call
        found = _asked(call)
        if found is None:
            return
        known = self._missing.setdefault(action.process, {})
        earlier = known.get(found[1])
        if earlier is not None:
            earlier.last, earlier.spelling, earlier.times = call, found[0], earlier.times + 1
        elif len(known) < _MOST:
            known[found[1]] = _Missing(found[0], _ZONES in call.body, call, call, found[0])

    @on_call(*OPENS, showing=(_ZONES, _LOCALES))
    def opened(self, action: Action) -> None:
        """Withdraw what is found in another place or spelling, and a locale for which the program has a substitute."""
        call = action.call
        known = self._missing.get(action.process) if call.errno is None else None
        found = None if known is None else _asked(call)
        if known is None or found is None:
            return
        known.pop(found[1], None)
        for key in [key for key, missing in known.items() if not missing.zone and _same_file(missing.last, call)]:
            del known[key]

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Report what a process has not found."""
        for missing in (self._missing.pop(end.process, None) or {}).values():
            if missing.tried and missing.name not in self._told and len(self._told) < _MOST:
                self._told.add(missing.name)
                yield self._finding(end.process, missing)

    def _finding(self, process: Process, missing: _Missing) -> Finding:
        name, zone = missing.name, missing.zone
        kind, effect = ("time zone", "{} uses UTC") if zone else ("locale", "setlocale fails in {}")
        words = said_by(process, missing.first.line).says(name.lower(), *(() if zone else ("locale",)))
        steps = [step(missing.first, f"the file of the {kind} {name} does not exist", primary=True)]
        if missing.times > 1:
            steps.append(step(missing.last, f"nor does any of {missing.times:,} places and spellings"))
        if words is not None:
            steps.append(report_step(words, named=False))
        return self.finding(
            steps,
            object=name,
            title=f"the {kind} {name} is not installed: {effect.format(process_name(process))}",
            confidence=Confidence.LIKELY,
            severity=Severity.NOTE if words is None else Severity.WARNING,
            why="tzset does not fail: without the file of the zone the time is UTC; tzset(3), tzfile(5)"
            if zone
            else "setlocale returns NULL, and a program that does not check this keeps the locale that it had, mostly"
            " C: other sort order and number format, and ASCII; setlocale(3), locale(7)",
            fix="install the package tzdata, or correct the name in TZ; ls /usr/share/zoneinfo shows the names"
            if zone
            else f"install the locale ({name} in /etc/locale.gen, then locale-gen), or set LANG=C.UTF-8; locale -a"
            " shows what is installed",
            explains=[(rule, missing.last.line) for rule in ("missing-file", "failed-call-behind-exit")],
        )


def _same_file(one: Syscall, other: Syscall) -> bool:
    """Whether two look-ups are for the same category, such as LC_CTYPE, of two locales."""
    names = [call.body.split('"', 2)[1].rpartition("/")[2] for call in (one, other)]
    return names[0] == names[1]


def _asked(call: Syscall) -> tuple[str, str] | None:
    """Return the zone or locale that a call looks for, and what all spellings of it have in common."""
    # The path is the first string, and these names have no character that strace would escape.
    parts = call.body.split('"', 2)
    return _named(parts[1]) if parts[2:] and parts[2][:1] in ("", ",") else None


@lru_cache(maxsize=512)
def _named(path: str) -> tuple[str, str] | None:
    """Return what `_asked` does; each program that starts looks for the same dozen."""
    zone = _ZONE.search(path)
    if zone is not None:
        name = zone[1]
        return None if name in _NEEDLESS or _RULE.match(name) is not None else (name, f"zone {name}")
    locale = _LOCALE.search(path)
    if locale is None or path.startswith(_MESSAGES):
        return None
    return locale[1], "locale " + locale[1].partition(".")[0].partition("@")[0].partition("_")[0]
