"""Paints lines of styled text for a device, through rich but never through its markup.

Everything goes through `Text`: in an f-string `[pid 7]` would vanish and `[/tmp/x]` would raise. Nothing is
wrapped here: rich folds at 80 columns off a terminal, and a folded line of evidence cannot be searched for. `wrapping`
breaks lines if there is a width. The text is returned, not written: rich answers a closed pipe with exit code 1,
which means "findings" here. Where there is no colour there is nothing to paint, and rich is not imported.
"""

from __future__ import annotations

from collections.abc import Callable

from tracediag.report.base import Look
from tracediag.report.visible import visible

STYLES = {
    "error": "bold color(160)",
    "warning": "bold color(130)",
    "note": "bold color(32)",
    "name": "bold",
    "place": "color(32)",
    "faint": "color(243)",
    "remark": "color(28)",
    "label": "bold color(32)",
    "plain": "",
}
"""The terminal style for each style name; "error", "warning" and "note" are the severities.

Each colour has a contrast of at least 3.5 to 1 on white and on black: the 16 basic ones do not, because a terminal's
yellow cannot be read on white, nor its blue on black.
"""

Part = tuple[str, str]
"""A text and the name of its style."""
_ASCII = str.maketrans({"└": "`", "─": "-", "·": ".", "×": "x", "…": "~"})


class Canvas:
    """Collects lines; `take` returns those collected since the last time."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._painted = _painter(look) if look.colour else _plain
        self._lines: list[str] = []

    def line(self, *parts: Part) -> None:
        """Add one line; control bytes are made visible here."""
        self._lines.append(self._painted([(self._shown(content), style) for content, style in parts]))

    def blank(self) -> None:
        """Add an empty line."""
        self._lines.append("\n")

    def take(self) -> str:
        """Return what was painted since the last time."""
        text = "".join(self._lines)
        self._lines.clear()
        return text

    def _shown(self, content: str) -> str:
        content = visible(content)
        return plain_text(content) if self._look.ascii_only else content


def _plain(parts: list[Part]) -> str:
    return "".join([content for content, _ in parts]).rstrip() + "\n"


def _painter(look: Look) -> Callable[[list[Part]], str]:
    """Return the function that returns one line, painted."""
    from rich.text import Text  # noqa: PLC0415

    from tracediag.report.console import console_of, take  # noqa: PLC0415

    console = console_of(look)

    def painted(parts: list[Part]) -> str:
        text = Text(end="")
        for content, style in parts:
            text.append(content, STYLES[style])
        text.rstrip()
        console.print(text, soft_wrap=True)
        return take(console)

    return painted


def plain_text(content: str) -> str:
    """Return the text for a device that shows only ASCII: its own marks and lines are replaced."""
    return content.translate(_ASCII)
