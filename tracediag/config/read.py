"""Reads a configuration file, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tracediag.bounded import read_bounded
from tracediag.config.find import MOST_BYTES, PROJECT_FILE
from tracediag.config.lines import line_of
from tracediag.config.schema import Config
from tracediag.errors import TracediagError
from tracediag.trace.patterns import lazy_pattern

_TABLE = "tool.tracediag"
_PLACE = lazy_pattern(r" \(at line (\d++), column (\d++)\)$")


class ConfigError(TracediagError, ValueError):
    """A configuration file that cannot be used: the file, the line, the key and what it may hold, in one line."""

    def __init__(self, path: Path, line: int | None, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        """The line, from 1; None where the file could not be read."""
        self.message = message


class Found(msgspec.Struct, frozen=True):
    """A configuration and the file that it stands in."""

    config: Config
    path: Path
    text: str
    given: frozenset[str]
    """The keys that the file sets."""

    def line(self, key: str, entry: int = 0) -> int:
        """Return the line of a key, or of one of its tables, for errors about what it names."""
        return line_of(self.text, key, _table_of(self.path), entry)

    @property
    def rules(self) -> tuple[Path, ...]:
        """The folders of rules, relative to the folder of the file."""
        return tuple(self.path.parent / each for each in self.config.rules)


def read_config(path: Path) -> Found:
    """Read a configuration file; a pyproject.toml without the table has the defaults.

    Raises:
        ConfigError: if it cannot be read, is no TOML, has an unknown key, or a value of the wrong type.
    """
    import tomllib  # noqa: PLC0415  # most folders have no configuration

    text = _text(path)
    try:
        values = tomllib.loads(text)
    except ValueError as error:
        said = str(error)
        place = _PLACE.search(said)
        line = int(place[1]) if place else None
        raise ConfigError(path, line, f"not TOML: {_PLACE.sub('', said)}") from None
    except RecursionError:
        raise ConfigError(path, None, "not TOML: nested too deeply") from None
    _check_tables(path, text, values)
    table = _table_of(path)
    for name in filter(None, table.split(".")):
        values = values.get(name, {})
        if not isinstance(values, dict):
            raise ConfigError(path, line_of(text, table), f"{table} is a table, written [{table}]")
    config = _checked(path, text, values)
    within = [f"thresholds.{name}" for name in values.get("thresholds", ())]
    return Found(config, path, text, frozenset([*values, *within]))


def _text(path: Path) -> str:
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8-sig")  # editors on Windows write a byte order mark
    except OSError as error:
        raise ConfigError(path, None, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise ConfigError(path, None, "not UTF-8") from None
    except ValueError as error:
        raise ConfigError(path, None, str(error)) from None


def _table_of(path: Path) -> str:
    return _TABLE if path.name == PROJECT_FILE else ""


def _check_tables(path: Path, text: str, values: dict[str, Any]) -> None:
    """Raise `ConfigError` for a table that belongs to the other kind of file: its keys would not be found."""
    here = "tool" not in values or not isinstance(values["tool"], dict) or "tracediag" not in values["tool"]
    if path.name == PROJECT_FILE:
        if here and isinstance(values.get("tracediag"), dict):
            raise ConfigError(path, line_of(text, "tracediag"), f"[tracediag] is not read; name it [{_TABLE}]")
        return
    for name, is_there in ((_TABLE, not here), ("tracediag", isinstance(values.get("tracediag"), dict))):
        if is_there:
            said = f"[{name}] is no table of this file: write its keys at the top, without a table"
            raise ConfigError(path, line_of(text, name), f"{said}; [{_TABLE}] is for {PROJECT_FILE}")


def _checked(path: Path, text: str, values: dict[str, Any]) -> Config:
    from tracediag.config.checks import KeyFaultError, check  # noqa: PLC0415  # most folders have no configuration

    try:
        return check(values)
    except KeyFaultError as fault:
        raise ConfigError(path, line_of(text, fault.key, _table_of(path), fault.entry or 0), str(fault)) from None
