"""Checks the values of a configuration, beyond their types: each error says which key, and what it may hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tracediag.config.schema import Config, keys, valid
from tracediag.report import FORMATS
from tracediag.results.limits import parse_limits


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
        try:
            msgspec.convert({key: value}, Config)
        except msgspec.ValidationError:
            raise KeyFaultError(key, f"{key} takes {valid(known[key].type)}") from None
        try:
            _CHECKS.get(key, _nothing)(value)
        except ValueError as error:
            raise KeyFaultError(key, f"{key}: {error}") from None
    return msgspec.convert(values, Config)


def unknown(key: str, known: Mapping[str, object]) -> str:
    """Return the message about an unknown key."""
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
