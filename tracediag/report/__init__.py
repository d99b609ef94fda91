"""Renders reports; decides nothing.

One module per format, each with a `Format` class. `formatter` selects one: it imports the module of the requested
format only.
"""

from __future__ import annotations

from tracediag.report.base import Format, Look

FORMATS = ("full", "concise", "json")
"""The names that `--format` accepts, the default first."""

__all__ = ["FORMATS", "Format", "Look", "formatter"]


def formatter(name: str, look: Look | None = None) -> Format:
    """Return the format of that name, for a device with that look; ValueError if there is none."""
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
