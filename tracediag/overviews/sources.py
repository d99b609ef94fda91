"""What every overview says of the trace that it was made from."""

from __future__ import annotations

from tracediag.reading import AnySource, Reader
from tracediag.results.tables import Source


def source_of(trace: AnySource, reader: Reader) -> Source:
    """Return the name and counts of a trace that a reader has read to its end."""
    counts = reader.counts
    name = trace if isinstance(trace, str) else reader.name
    return Source(name, counts.lines, counts.calls, counts.not_understood, reader.damage)
