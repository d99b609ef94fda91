"""Breaks long lines if the device has a width; evidence keeps every character, so nothing is joined or dropped."""

from __future__ import annotations

from tracediag.report.visible import visible

_SEPARATORS = "/|,"


def wrap(text: str, width: int | None, later: int | None = None) -> list[str]:
    """Return the text, made visible, as lines of at most that many columns; as one line without a width.

    Lines break at a space in their second half, else after a separator of paths, flags or arguments there, else
    anywhere. `later` is the width of all lines after the first, if it differs.
    """
    shown = visible(text)
    if width is None:
        return [shown]
    width, start = max(width, 1), 0
    lines: list[str] = []
    while len(shown) - start > width:
        cut = shown.rfind(" ", start + width // 2, start + width + 1)
        cut = _after_separator(shown, start + width // 2, start + width) if cut < 0 else cut
        lines.append(shown[start:cut].rstrip(" "))
        while shown[cut : cut + 1] == " ":
            cut += 1
        start, width = cut, max(later or width, 1)
    return [*lines, shown[start:]] if start < len(shown) or not lines else lines


def _after_separator(text: str, first: int, last: int) -> int:
    """Return the place after the last separator between two places, or the last place."""
    found = max(text.rfind(mark, first, last) for mark in _SEPARATORS)
    return last if found < 0 else found + 1


def flow(parts: list[str], width: int | None, gap: str) -> list[str]:
    """Return the parts side by side, separated by the gap, on as few lines as possible; long ones are wrapped."""
    lines: list[str] = []
    for part in parts:
        pieces = wrap(part, width)
        if lines and (width is None or len(lines[-1]) + len(gap) + len(pieces[0]) <= width):
            lines[-1] += gap + pieces.pop(0)
        lines += pieces
    return lines
