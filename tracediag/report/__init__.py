"""Renders reports; decides nothing.

One module per format, each with a `Format` class. `formatter` selects one: it imports the module of the requested
format only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tracediag.report.base import Format, Look

if TYPE_CHECKING:
    from tracediag.report.document_format import DocumentFormat

FORMATS = ("full", "concise", "json", "jsonl", "markdown", "sarif", "junit", "github", "gitlab")
"""The names that `--format` accepts, the default first."""

__all__ = ["FORMATS", "Format", "Look", "as_document", "formatter"]


def formatter(name: str, look: Look | None = None) -> Format:
    """Return the format of that name, for a device with that look; ValueError if there is none."""
    if name not in FORMATS:
        raise ValueError(f"no format {name!r}; there are {', '.join(FORMATS)}")
    module = importlib.import_module(f"{__name__}.{name}")
    found: Format = getattr(module, f"{name.title()}Format")(look or Look())
    return found


def as_document(form: Format) -> DocumentFormat | None:
    """Return the format if it is one document for all traces, else None."""
    from tracediag.report.document_format import DocumentFormat

    return form if isinstance(form, DocumentFormat) else None
