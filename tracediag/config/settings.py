"""What is in force: the file, then `--config KEY=VALUE`, each key with the place that sets it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tracediag.config.find import find_config
from tracediag.config.read import Found, read_config
from tracediag.config.schema import Config, keys
from tracediag.errors import TracediagError
from tracediag.trace.patterns import lazy_pattern

_ASSIGNMENT = lazy_pattern(r"\s*+([A-Za-z][\w-]*+(?>\.[\w-]++)?)\s*+=(.*+)", re.DOTALL)
DEFAULT = "default"


class SettingError(TracediagError, ValueError):
    """A `--config` that cannot be used, in one line."""


class Settings(msgspec.Struct, frozen=True):
    """The configuration in force."""

    config: Config = Config()
    found: Found | None = None
    """The file, if there is one."""
    assigned: tuple[str, ...] = ()
    """The keys that `--config KEY=VALUE` sets."""

    def where(self, key: str, entry: int = 0) -> str:
        """Return the place that sets a key, or one of its table: "pyproject.toml:12", "--config", or "default"."""
        if key in self.assigned or key.partition(".")[0] in self.assigned:
            return "--config"
        if self.found is not None and key in self.found.given:
            return f"{self.found.path}:{self.found.line(key, entry)}"
        return DEFAULT

    def path(self, key: str, written: str) -> str:
        """Return a path of a key: in a file it is relative to the folder of the file."""
        if key in self.assigned or self.found is None:
            return written
        return str(self.found.path.parent / written)


def settings_of(start: Path, given: Iterable[str] = (), *, isolated: bool = False) -> Settings:
    """Return what is in force in a folder.

    Args:
        start: the folder from which the file is looked for, upwards.
        given: the values of `--config`: KEY=VALUE, or at most one FILE to read instead of looking for one.
        isolated: read no file.

    Raises:
        ConfigError: if the file cannot be used.
        SettingError: if a value of `--config` cannot.
    """
    given = tuple(given)
    files = [each for each in given if _ASSIGNMENT.fullmatch(each) is None]
    assignments = [pair.groups() for each in given if (pair := _ASSIGNMENT.fullmatch(each)) is not None]
    found = _file(start, files, isolated=isolated)
    values = dict(_assigned(key, text.strip()) for key, text in assignments)
    written = Config() if found is None else found.config
    whole = _nested(values, written)
    return Settings(msgspec.structs.replace(written, **_checked(whole)) if whole else written, found, tuple(values))


def _nested(values: dict[str, Any], written: Config) -> dict[str, Any]:
    """Return the values with those of `TABLE.KEY` in their table, beside what is written there."""
    whole = {key: value for key, value in values.items() if "." not in key}
    for key, value in values.items():
        table, _, name = key.partition(".")
        if name:
            before = whole.get(table, msgspec.to_builtins(getattr(written, table, None)))
            whole[table] = {**(before if isinstance(before, dict) else {}), name: value}
    return whole


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `Config` that values set."""
    from tracediag.config.checks import KeyFaultError, check  # noqa: PLC0415  # rare

    try:
        checked = check(values)
    except KeyFaultError as fault:
        raise SettingError(f"--config: {fault}") from None
    return {(name := key.replace("-", "_")): getattr(checked, name) for key in values}


def _file(start: Path, files: Sequence[str], *, isolated: bool) -> Found | None:
    if len(files) > 1:
        raise SettingError(f"--config: two files, {files[0]} and {files[1]}; a key is set as KEY=VALUE")
    if files:
        if isolated:
            raise SettingError("--isolated reads no file: leave out --isolated or --config FILE")
        return read_config(Path(files[0]))
    path = None if isolated else find_config(start)
    if path is None:
        return None
    return read_config(path.relative_to(start) if path.parent == start == Path.cwd() else path)


def _assigned(key: str, text: str) -> tuple[str, Any]:
    """Return a key with its value: TOML, or a bare text, which is split at commas where the key takes a list."""
    import tomllib  # noqa: PLC0415  # rare

    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        kind = keys().get(key)
        inner = kind.type if kind is not None else None
        while isinstance(inner, msgspec.inspect.Metadata):
            inner = inner.type
        if isinstance(inner, msgspec.inspect.VarTupleType):
            return key, [word.strip() for word in text.split(",") if word.strip()]
        return key, text
