"""What `doctor` has found: a line for each thing, with the remedy for what does not work, or one JSON document."""

from __future__ import annotations

import msgspec

from tracediag.report.base import Look
from tracediag.report.canvas import Canvas
from tracediag.report.document import dump
from tracediag.results.abilities import Doctor

SCHEMA = "tracediag-doctor/1"
"""The edition of the document."""


def document(doctor: Doctor) -> str:
    """Return what was found as one JSON document on one line."""
    return dump({"schema": SCHEMA} | msgspec.to_builtins(doctor))


def picture(doctor: Doctor, look: Look) -> str:
    """Return what was found as text."""
    canvas = Canvas(look)
    for ability in doctor.abilities:
        said = f": {ability.said}" if ability.said else ""
        if ability.works:
            canvas.line(("yes", "remark"), (f"  {ability.what}{said}", "plain"))
        else:
            canvas.line(("no", "error"), (f"   {ability.what}{said}", "plain"))
            canvas.line((f"     remedy: {ability.remedy}", "plain"))
    return canvas.take()
