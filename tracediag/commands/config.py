"""Print the configuration in force, and where each value comes from.

    tracediag config
    tracediag config --config fail-on=error --format json

The nearest tracediag.toml, or pyproject.toml with a table [tool.tracediag], from the working directory upwards is
read; --config FILE names another one, --config KEY=VALUE sets one key, --isolated reads no file. Options of a command
win over the configuration. docs/ci.md explains the keys, `tracediag schema config` describes them to editors.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from tracediag.commands.configured import ConfiguredOptions, add_config, settings_for
from tracediag.commands.output import look_of, write


class Options(ConfiguredOptions, kw_only=True):
    """What `tracediag config` takes."""

    format: Literal["table", "json"] = "table"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="list format (default: table)")
    add_config(parser)


def run(options: Options) -> int:
    """Print each key; the order is that of the schema."""
    from tracediag.report.canvas import Canvas
    from tracediag.report.grid import Column, paint_grid

    settings = settings_for(options)
    values: dict[str, Any] = msgspec.to_builtins(settings.config)
    values = {key: value for each in values.items() for key, value in _flat(*each)}
    if options.format == "json":
        listed = {key: {"value": value, "from": settings.where(key)} for key, value in values.items()}
        write(json.dumps(listed, indent=2) + "\n")
        return 0
    look = look_of(sys.stdout, options.color)
    canvas = Canvas(look)
    rows = [[key, line, settings.where(key, place)] for key in values for place, line in enumerate(_lines(values[key]))]
    paint_grid(canvas, (Column("KEY", "name"), Column("VALUE"), Column("FROM", "place")), rows, width=look.width)
    write(canvas.take())
    return 0


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a key with its value; of a table each key for itself."""
    if isinstance(value, dict):
        yield from ((f"{key}.{name}", held) for name, held in value.items())
    else:
        yield key, value


def _lines(value: Any) -> list[str]:
    """Return a value in TOML; a list of tables has a line for each."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return [_toml(each) for each in value]
    return [_toml(value)]


def _toml(value: Any) -> str:
    match value:
        case dict():
            held = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items() if each not in (None, "", [], ()))
            return f"{{ {held} }}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return json.dumps(value)
