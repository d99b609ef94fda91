"""Draws docs/images/report.svg, the report in README.md, with the product's own renderer: `make pictures`.

The picture names no font of the network: the reader's own monospace font is used, and each line is stretched to its
width.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tracediag import open_trace
from tracediag.report import Look
from tracediag.report.full import FullFormat

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "images" / "report.svg"
COMMAND = "tracediag analyze server.strace"
_SAMPLE = ROOT / "samples" / "epollserver" / "accept-once.strace"
_WIDTH = 112
"""Columns; wider text is too small to read in a README."""
_FONTS = re.compile(r"@font-face \{[^}]*\}\s*")
_BLANKS = re.compile(r"[ \t]+$", re.MULTILINE)
_TEXT = re.compile(
    r'(<text class="report-r\d+" x=")([\d.]+)(" y="[\d.]+" textLength=")([\d.]+)("[^>]*>)((?:&#160;|\n)*)([^<]*</text>)'
)
COLUMN = 12.2
"""The width of a character in the picture, as rich draws it."""


def report_lines(*, colour: bool = False) -> list[str]:
    """Return the command and the lines of today's report on the sample, as they stand in the picture."""
    report = open_trace(_SAMPLE).report
    shown = "".join(FullFormat(Look(colour=colour, width=_WIDTH)).report(report))
    shown = shown.replace(str(_SAMPLE), COMMAND.rpartition(" ")[2])
    return [f"$ {COMMAND}", *shown.rstrip().splitlines()]


def drawn() -> str:
    """Return the picture."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in report_lines(colour=True):
        console.print(Text.from_ansi(line), soft_wrap=True)
    svg = console.export_svg(title="tracediag", theme=MONOKAI, unique_id="report")
    svg = _TEXT.sub(_without_leading_blanks, _FONTS.sub("", svg))
    return _BLANKS.sub("", svg).rstrip() + "\n"


def _without_leading_blanks(found: re.Match[str]) -> str:
    """Return a piece of text that starts at its first character: some programs draw no blanks before it."""
    head, x, middle, length, end, blanks, text = found.groups()
    if text == "</text>":
        return ""
    indent = blanks.count("&#160;") * COLUMN
    return f"{head}{float(x) + indent:g}{middle}{float(length) - indent:g}{end}{text}"


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
