"""Checks the values of a configuration, beyond their types: each error says which key, and what it may hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from tracediag.config.schema import SCOPES, Config, Ignore, Regrade, Thresholds, keys, valid
from tracediag.report import FORMATS
from tracediag.results.limits import parse_limits
from tracediag.trace.quantities import in_seconds


class KeyFaultError(Exception):
    """A key that is unknown, or has a value that it cannot have."""

    def __init__(self, key: str, message: str, entry: int | None = None) -> None:
        super().__init__(message)
        self.key = key
        self.entry = entry
        """Of a list of tables: the place in the list, from 0."""


def check(values: Mapping[str, Any]) -> Config:
    """Return the configuration with these values; raises `KeyFaultError` for the first that is wrong."""
    known = keys()
    for key, value in values.items():
        if key not in known:
            raise KeyFaultError(key, unknown(key, known))
        if key in _TABLES and isinstance(value, list):
            _entries(key, value, _TABLES[key])
        if key == "thresholds":
            _thresholds(value)
        try:
            msgspec.convert({key: value}, Config)
        except msgspec.ValidationError:
            raise KeyFaultError(key, f"{key} takes {valid(known[key].type)}") from None
        try:
            _CHECKS.get(key, _nothing)(value)
        except ValueError as error:
            raise KeyFaultError(key, f"{key}: {error}") from None
    return msgspec.convert(values, Config)


def _entries(key: str, entries: list[Any], table: type[msgspec.Struct]) -> None:
    """Check a list of tables, each entry for itself."""
    known, types = keys(table), get_type_hints(table, include_extras=True)
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise KeyFaultError(key, f"{key} takes tables, written [[{key}]]", place)
        for name, value in entry.items():
            if name not in known:
                raise KeyFaultError(key, f"{key}: {unknown(name, known)}", place)
            try:
                msgspec.convert(value, types[name])
            except msgspec.ValidationError:
                raise KeyFaultError(key, f"{key}: {name} takes {valid(known[name].type)}", place) from None
        missing = [name for name, field in known.items() if field.required and not entry.get(name)]
        if "reason" not in missing and not str(entry["reason"]).strip():
            missing.append("reason")
        if missing:
            raise KeyFaultError(key, f"{key}: {missing[0]} is missing", place)
        if table is Ignore and not any(entry.get(name) for name in SCOPES):
            raise KeyFaultError(key, f"{key}: an entry names a {', '.join(SCOPES[:-1])} or {SCOPES[-1]}", place)


def _thresholds(values: Any) -> None:
    """Check each threshold for itself."""
    if not isinstance(values, dict):
        raise KeyFaultError(
            "thresholds", f"thresholds is a table with the keys {', '.join(keys(Thresholds))}: {_WRITTEN}"
        )
    known, types = keys(Thresholds), get_type_hints(Thresholds, include_extras=True)
    for name, value in values.items():
        full = f"thresholds.{name}"
        if name not in known:
            raise KeyFaultError(full, f"thresholds: {unknown(name, known)}")
        if not _fits(value, types[known[name].name]):
            takes = _TIMES if isinstance(known[name].default, str) else _COUNTS
            raise KeyFaultError(full, f"{full} takes {takes}")


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return not isinstance(value, str) or in_seconds(value) >= _SHORTEST


_WRITTEN = (
    "[tool.tracediag.thresholds] in pyproject.toml, [thresholds] in tracediag.toml, --config thresholds.slow-call=500ms"
)
_SHORTEST = 0.001
"""Seconds: strace itself takes as long as a call that is shorter."""
_TIMES, _COUNTS = 'a time of 1ms or more, such as "500ms" or "2s"', "a whole number from 2 to 1,000,000"
_TABLES: dict[str, type[msgspec.Struct]] = {"ignores": Ignore, "severities": Regrade}


def unknown(key: str, known: Mapping[str, object]) -> str:
    """Return the message about an unknown key."""
    if key in keys(Thresholds) and "thresholds" in known:
        return f"unknown key {key}; did you mean thresholds.{key}?"
    alike = difflib.get_close_matches(key, known, n=1)
    return f"unknown key {key}; " + (f"did you mean {alike[0]}?" if alike else f"keys: {', '.join(known)}")


def _nothing(_value: Any) -> None:
    return


def _limits(value: Any) -> None:
    parse_limits(value if isinstance(value, str) else ",".join(value))


def _format(value: Any) -> None:
    if value not in FORMATS:
        raise ValueError(f"{value!r} is none of {', '.join(FORMATS)}")


def _output(value: Any) -> None:
    for text in value:
        name, _, path = text.partition(":")
        if name not in FORMATS or not path or path == "-":
            raise ValueError(f"{text!r} is not FORMAT:FILE with {', '.join(FORMATS)} as FORMAT")


_CHECKS: dict[str, Callable[[Any], None]] = {"fail-on": _limits, "format": _format, "output": _output}
