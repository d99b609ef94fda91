"""The places of a SARIF log: lines of the trace, lines of source code, and the frames of stacks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tracediag.report.stacks import Place, inside, place_of
from tracediag.report.visible import visible
from tracediag.results.findings import Finding, Step
from tracediag.results.stacks import own_frames
from tracediag.trace.stacks import Frame

MOST_RELATED = 99
"""Of more than 100 locations of a result, GitHub drops some: docs.github.com, "SARIF results exceed limits"."""
_LONGEST = 8_192
"""Characters of one text: a result is read by a person."""


def text_of(text: str) -> dict[str, str]:
    """Return a message."""
    shown = visible(text[:_LONGEST])
    return {"text": shown if len(text) <= _LONGEST else f"{shown}..."}


def places_of(path: str, finding: Finding, steps: tuple[Step, ...]) -> dict[str, Any]:
    """Return the primary place of a result, and the places related to it.

    The primary one is a line of code, where the stack of the primary step leads to one in the repository; the line of
    the trace is then the first of the related ones. Else it is the line of the trace.
    """
    related = [step for step in steps if not step.primary]
    source = place_of(finding)
    if source is None:
        primary = location(path, finding.primary)
    else:
        primary = {"physicalLocation": _physical(source), "message": text_of(finding.primary.note)}
        related.insert(0, finding.primary)
    others = [location(path, step, number) for number, step in enumerate(related[:MOST_RELATED], start=1)]
    return {"locations": [primary], "relatedLocations": others}


def location(path: str, step: Step, number: int | None = None) -> dict[str, Any]:
    """Return a place in a trace, with what the step means there."""
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri_of(path)},
            "region": {"startLine": step.line, "snippet": text_of(step.text)},
        },
        "message": text_of(step.note),
    }
    return place if number is None else {"id": number} | place


def flow(path: str, step: Step) -> dict[str, Any]:
    """Return a step of a flow, with the program's own frames."""
    held = {"location": location(path, step), "importance": "essential" if step.primary else "important"}
    frames = [_frame(frame) for frame in own_frames(step.stack)]
    return held | {"stack": {"frames": frames}} if frames else held


def _frame(frame: Frame) -> dict[str, Any]:
    place: dict[str, Any] = {}
    path = inside(frame)
    if path is not None and frame.line is not None:
        place["physicalLocation"] = _physical(Place(path, frame.line))
    if frame.symbol:
        place["logicalLocations"] = [{"name": visible(frame.symbol[:_LONGEST]), "kind": "function"}]
    return {"location": place, "module": visible(frame.module)}


def _physical(place: Place) -> dict[str, Any]:
    return {"artifactLocation": {"uri": uri_of(place.path)}, "region": {"startLine": place.line}}


def uri_of(path: str) -> str:
    """Return a path as a URI reference; standard input has the name that messages give it.

    SARIF 2.1.0, 3.10.1: a relative reference does not begin with a slash, so an absolute path is a `file:` URI.
    """
    quoted = quote("stdin" if path == "-" else path, safe="/", errors="surrogateescape")
    return f"file://{quoted}" if quoted.startswith("/") else quoted
