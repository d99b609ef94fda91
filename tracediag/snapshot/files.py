"""The file `TRACE.proc.json`: what `/proc` showed of the processes of a trace."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tracediag.snapshot.moments import SCHEMA, Snapshot

SUFFIX = ".proc.json"
_MOST = 256 << 20
"""Bytes that are read."""
_PREFIX = 40
"""Characters of the name that a temporary file begins with."""
_PACKED = (".gz", ".xz", ".bz2", ".zst")


class SnapshotError(Exception):
    """The file cannot be used; the message is one clear line."""


def place_of(trace: str) -> Path:
    """Return where the snapshot of a trace lies."""
    return Path(f"{trace}{SUFFIX}")


def store(snapshot: Snapshot, trace: str) -> Path:
    """Write the snapshot of a trace beside it; one that shows nothing removes that of an earlier trace.

    What lies there is replaced, not written to: it may be a link to something else, or readable by others; the
    snapshot is for its owner only. Returns where it is; raises OSError.
    """
    place = place_of(trace)
    if snapshot.latest is None:
        place.unlink(missing_ok=True)
        return place
    data = msgspec.json.format(msgspec.json.encode(snapshot), indent=1)
    import tempfile  # noqa: PLC0415  # reading, which every command does, must not pay for it

    try:
        made, temporary = tempfile.mkstemp(prefix=f".{place.name[:_PREFIX]}", dir=place.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None
    try:
        with open(made, "wb") as file:  # noqa: PTH123
            file.write(data)
        os.replace(temporary, place)  # noqa: PTH105
    except OSError as error:
        os.unlink(temporary)  # noqa: PTH108
        raise OSError(error.errno, error.strerror, str(place)) from None
    return place


def load(path: Path) -> Snapshot:
    """Read a snapshot.

    Raises:
        SnapshotError: if it cannot be read or is no such document.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if len(data) > _MOST:
            raise SnapshotError(f"{path}: larger than {_MOST >> 20} MiB")
        snapshot = msgspec.json.decode(data, type=Snapshot)
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SnapshotError(f"{path}: not a snapshot of /proc: {error}") from error
    if snapshot.edition != SCHEMA:
        raise SnapshotError(f"{path}: edition {snapshot.edition}, not {SCHEMA}")
    return snapshot


def beside(trace: object) -> Snapshot | None:
    """Return the snapshot beside a trace, also beside the plain file that was compressed; None where there is none.

    Raises:
        SnapshotError: if it is there and cannot be used.
    """
    if not isinstance(trace, str | os.PathLike) or os.fspath(trace) == "-":
        return None
    name = str(os.fspath(trace))
    names = [name, *(name.removesuffix(end) for end in _PACKED if name.endswith(end))]
    for known in names:
        place = place_of(known)
        try:
            there = place.is_file()
        except (OSError, ValueError):
            continue
        if there:
            return load(place)
    return None
