"""What `rules check` has found: a line for each problem, as editors understand them, or one JSON document."""

from __future__ import annotations

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.results.problems import Check

SCHEMA = "tracediag-check/1"
"""The edition of the document."""


def document(check: Check) -> str:
    """Return the check as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(check))


def picture(check: Check, look: Look) -> str:
    """Return the problems as text: `file:line:column: message`."""
    canvas = Canvas(look)
    for problem in check.problems:
        canvas.line((problem.place, "place"), (f": {problem.message}", "plain"))
    return canvas.take()
