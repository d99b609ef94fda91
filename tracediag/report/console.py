"""The one place that makes a rich console: what it can show comes from a `Look`, never from the environment.

rich reads COLUMNS, TERM, FORCE_COLOR and more by itself, even for text that goes into a file: with COLUMNS=0 it prints
nothing at all.
"""

from __future__ import annotations

import io

from rich.console import Console

from tracediag.report.base import Look

_NO_WIDTH = 80
"""Columns for a device without a width; only text that may be folded heeds it."""
_HEIGHT = 25
"""Lines; nothing that is printed here depends on it, but rich asks the environment where it is left open."""


def console_of(look: Look) -> Console:
    """Return a console that collects text in memory, painted for a device of that look."""
    return Console(
        file=io.StringIO(),
        width=look.width or _NO_WIDTH,
        height=_HEIGHT,
        force_terminal=look.colour,
        force_jupyter=False,
        force_interactive=False,
        no_color=not look.colour,
        color_system="256" if look.colour else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def take(console: Console) -> str:
    """Return what the console has collected, and empty it."""
    stream = console.file
    assert isinstance(stream, io.StringIO)
    painted = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return painted
