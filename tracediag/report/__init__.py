"""Renders reports; decides nothing.

One module a format, each with a `Format` class. `formatter` is the door: it imports the module of the format
that was asked for, and no other.
"""

from __future__ import annotations

from tracediag.report.base import Format, Look

FORMATS = ("full", "concise", "json")
"""The names that `--format` accepts, the default first."""

__all__ = ["FORMATS", "Format", "Look", "formatter"]


def formatter(name: str, look: Look | None = None) -> Format:
    """Return the format of that name, to be written on a device of that look; ValueError where there is none."""
    look = look or Look()
    match name:
        case "full":
            from tracediag.report.full import FullFormat

            return FullFormat(look)
        case "concise":
            from tracediag.report.concise import ConciseFormat

            return ConciseFormat(look)
        case "json":
            from tracediag.report.json import JsonFormat

            return JsonFormat(look)
        case _:
            raise ValueError(f"no format {name!r}; there are {', '.join(FORMATS)}")
