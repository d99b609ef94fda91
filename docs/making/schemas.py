"""Freezes what programs rely on: the JSON Schemas in docs/schemas/, and the names of the library: `make schemas`.

Within an edition, documents only gain: docs/report.md says what that means. `lost` compares an edition as it was frozen
with that of today. The script refuses to write one that has lost something; a new edition gets a file of its own.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

import tracediag
from tracediag.config.schema import schema as config_schema
from tracediag.report.document import DOCUMENTS
from tracediag.report.schema import schema

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schemas"
LIBRARY = FOLDER / "library.json"
ADVICE = "put it back, or make a new edition (docs/report.md); after a gain: make schemas"
_WORDS = ("description", "title", "default", "examples", "$schema", "$id", "$defs")
"""What says something and permits nothing."""

Schema = Mapping[str, Any]


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas of today by the names of their files, which hold their editions."""
    found = [*map(schema, DOCUMENTS), config_schema()]
    return {f"{each['$id'].removeprefix('urn:').replace(':', '-')}.json": each for each in found}


def lost(old: Schema, new: Schema, *, is_input: bool = False) -> Iterator[str]:
    """Yield what a frozen schema promises and that of today does not.

    Args:
        old: the schema as it was frozen.
        new: that of today.
        is_input: True for what users write, where a new required key breaks files; of what we write, a key that is no
            longer required breaks readers.
    """
    yield from _Comparison(old, new, is_input=is_input).lost(old, new, "")


class _Comparison:
    def __init__(self, old: Schema, new: Schema, *, is_input: bool) -> None:
        self._old = old.get("$defs", {})
        self._new = new.get("$defs", {})
        self._is_input = is_input
        self._seen: set[tuple[str, str]] = set()
        """Definitions that have been compared: one may refer to itself."""

    def lost(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        for key in sorted((old.keys() | new.keys()) - {*_WORDS}):
            yield from self._keyword(key, old.get(key), new.get(key), place)

    def _keyword(self, key: str, old: Any, new: Any, place: str) -> Iterator[str]:
        match key, old, new:
            case "properties", dict(), dict():
                for name, value in old.items():
                    if name not in new:
                        yield f"{place}.{name} is gone"
                    else:
                        yield from self.lost(value, new[name], f"{place}.{name}")
            case "required", _, _:
                before, after = set(old or ()), set(new or ())
                for name in sorted(after - before if self._is_input else before - after):
                    yield f"{place}.{name} is {'now' if self._is_input else 'no longer'} required"
            case "enum", list(), list():
                yield from (f"{place}: {value} is gone" for value in old if value not in new)
            case "anyOf", list(), list():
                kept = [each for each in old if any(self._same(each, other) for other in new)]
                if len(kept) < len(old) or (len(new) > len(old) and not self._is_input):
                    yield f"{place} has other types"
            case (("items" | "additionalProperties"), dict(), dict()):
                yield from self.lost(old, new, f"{place}[]")
            case _ if old != new:
                yield f"{place}: {key} was {old}, is {new}"

    def _same(self, old: Schema, new: Schema) -> bool:
        """Whether two alternatives are one; what was compared for two that are not says nothing."""
        seen = set(self._seen)
        differ = any(self.lost(old, new, ""))
        if differ:
            self._seen = seen
        return not differ


def _resolved(part: Schema, definitions: Schema) -> Schema:
    if "$ref" not in part:
        return part
    found: Schema = definitions[part["$ref"].rpartition("/")[2]]
    return found


def library() -> dict[str, list[str]]:
    """Return what the library offers: its names, the parameters of what is called, the fields of what is read."""
    found: dict[str, list[str]] = {}
    for name in sorted(tracediag.__all__):
        value = getattr(tracediag, name)
        if not isinstance(value, type):
            found[name] = _parameters(value)
            continue
        members = {member: held for member, held in _members(value) if not member.startswith("_")}
        found[name] = sorted(members)
        methods = {member: held for member, held in members.items() if inspect.isfunction(held)}
        found |= {f"{name}.{member}": _parameters(held) for member, held in methods.items()}
    return found


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield what a type has of ours: str and Exception have more."""
    if issubclass(kind, Enum):
        yield from kind.__members__.items()
        return
    for each in kind.__mro__:
        if each.__module__.startswith("tracediag"):
            yield from vars(each).items()
    if issubclass(kind, msgspec.Struct):
        yield from ((each.name, each) for each in msgspec.structs.fields(kind))


def _parameters(called: Any) -> list[str]:
    """Return the parameters, those that must be given with an exclamation mark."""
    given = inspect.signature(called).parameters.values()
    needed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [f"{each.name}{'!' if each.default is each.empty and each.kind not in needed else ''}" for each in given]


def missing(old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield what the library offered and does not offer any more, or asks for besides."""
    for name, parts in old.items():
        if name not in new:
            yield f"{name} is gone"
            continue
        yield from (f"{name}: {part.rstrip('!')} is gone, or must be given" for part in parts if part not in new[name])
        yield from (
            f"{name}: {part.rstrip('!')} must be given" for part in new[name] if "!" in part and part not in parts
        )


def changes() -> list[str]:
    """Return all that a program could rely on and cannot any more."""
    now = schemas()
    found = []
    for path in sorted(FOLDER.glob("tracediag-*.json")):
        if (today := now.get(path.name)) is not None:
            old = json.loads(path.read_text("utf-8"))
            found += [f"{path.stem}{each}" for each in lost(old, today, is_input="config" in path.stem)]
    if LIBRARY.is_file():
        found += missing(json.loads(LIBRARY.read_text("utf-8")), library())
    return found


def main() -> int:
    """Write all of them, unless something is lost."""
    if gone := changes():
        sys.stderr.write("".join(f"{each}\n" for each in [*gone, ADVICE]))
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, found in schemas().items():
        (FOLDER / name).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    LIBRARY.write_text(json.dumps(library(), indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
