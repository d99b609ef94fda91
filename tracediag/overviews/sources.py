"""What every overview knows and says of the trace that it is made from."""

from __future__ import annotations

import os
from pathlib import Path

from tracediag.kernel import Kernel
from tracediag.reading import AnySource, Reader, UnreadableError
from tracediag.results.tables import Source
from tracediag.snapshot import Snapshot, SnapshotError, beside


def known_of(trace: AnySource) -> Snapshot | None:
    """Return the snapshot of /proc beside a trace; None where there is none. Raises `UnreadableError`."""
    try:
        return beside(trace)
    except SnapshotError as error:
        raise UnreadableError(str(trace), str(error)) from error


def kernel_of(trace: AnySource, known: Snapshot | None = None) -> Kernel:
    """Return the model as it is before the first event of a trace.

    Args:
        trace: the trace.
        known: what /proc showed of the processes; by default the snapshot beside the trace, if there is one.

    Raises:
        UnreadableError: if that snapshot cannot be used.
    """
    return Kernel(known=known or known_of(trace))


def source_of(trace: AnySource, reader: Reader) -> Source:
    """Return the name and counts of a trace that a reader has read to its end."""
    counts = reader.counts
    name = trace if isinstance(trace, str) else reader.name
    return Source(name, counts.lines, counts.calls, counts.not_understood, reader.damage)


def is_repeatable(trace: AnySource) -> bool:
    """Whether the trace can be read a second time: a file, or a set of files."""
    if not isinstance(trace, str | os.PathLike):
        return False
    path = Path(trace)
    return path.is_file() or (trace != "-" and not path.exists())
