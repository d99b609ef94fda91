"""Hides secrets in a report, or any other struct: every text that it holds."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tracediag.reading import AnySource, overhear_all
from tracediag.redaction.learning import Secrets
from tracediag.redaction.redactor import Redactor
from tracediag.results.findings import Finding, Step
from tracediag.results.report import Report, RuleCard
from tracediag.trace.stacks import Frame

_T = TypeVar("_T")
_COMMANDS = frozenset(("command", "argv"))
"""Fields that hold the arguments of a command."""


def redact(report: Report, trace: AnySource | None = None) -> Report:
    """Return the report without secrets: those in arguments, environments, data, headers, URLs, tokens, keys.

    Each becomes `<redacted>`; `Report.redacted` counts them by kind. Findings, lines and fingerprints stay. A secret
    that only lines outside the report give away is hidden if `trace` is given, the source of the report: it is read
    once more.

    Raises:
        UnreadableError: if `trace` cannot be read.
    """
    secrets = Secrets()
    if trace is not None:
        overhear_all(trace, secrets.read)
    return redacted_with(report, secrets)


def redacted_with(report: Report, secrets: Secrets) -> Report:
    """Return the report without secrets: those of its trace, and what it shows itself."""
    seen = secrets.redactor()
    redacted(report, seen)  # a secret may be shown before the place that gives it away
    redactor = seen.again()
    hidden = redacted(report, redactor)
    return msgspec.structs.replace(hidden, redacted=dict(sorted(redactor.counts.items())))


def redacted(value: _T, redactor: Redactor) -> _T:
    """Return a value with the secrets hidden in all of its texts, however deep."""
    found: object = value
    match value:
        case str():
            found = redactor.text(value)
        case RuleCard() | Frame():
            pass  # the text of a rule's page; the name of a function is no secret, whatever it looks like
        case msgspec.Struct():
            found = _struct(value, redactor)
        case tuple() | list():
            found = type(value)(redacted(item, redactor) for item in value)
        case dict():
            found = {key: redacted(item, redactor) for key, item in value.items()}
    return found  # type: ignore[return-value]  # of the type of the value


def _struct(value: msgspec.Struct, redactor: Redactor) -> msgspec.Struct:
    changed = {}
    for name in value.__struct_fields__:
        held = getattr(value, name)
        if name in _COMMANDS and isinstance(held, tuple):
            new: object = redactor.argv(held)
        elif name == "text" and isinstance(value, Step):
            new = redactor.step(held, value.line)
        else:
            new = redacted(held, redactor)
        if new != held:
            changed[name] = new
    if not changed:
        return value
    result = msgspec.structs.replace(value, **changed)
    if isinstance(value, Finding):  # it is worked out from the notes: it must name the same fault with and without
        msgspec.structs.force_setattr(result, "fingerprint", value.fingerprint)
    return result
