"""The one place that creates a rich console: its abilities come from a `Look`, never from the environment.

rich reads COLUMNS, TERM, FORCE_COLOR and more by itself, even for text written to a file: with COLUMNS=0 it prints
nothing at all.
"""

from __future__ import annotations

import io

from rich.console import Console

from tracediag.report.base import Look

_NO_WIDTH = 80
"""Columns for a device without a width; only text that may be folded depends on it."""
_HEIGHT = 25
"""Lines; nothing printed here depends on it, but rich reads the environment if it is not set."""


def console_of(look: Look) -> Console:
    """Return a console that collects text in memory, styled for a device with that look."""
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
    """Return and clear the console's collected text."""
    stream = console.file
    assert isinstance(stream, io.StringIO)
    painted = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return painted
