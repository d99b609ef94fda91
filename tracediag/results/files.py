"""The result of `files`, as plain values between reading and rendering.

None means that the trace does not show the value.
"""

from __future__ import annotations

import msgspec

from tracediag.results.tables import Source


class FileUse(msgspec.Struct, frozen=True, kw_only=True):
    """One path, and what was done with it."""

    path: str
    """Absolute where the trace shows the directory, else as the program passed it."""
    group: str
    """The most important use: "written", "temporary", "refused", "executed", "read", "mapped", "looked at",
    "devices" (/dev/null, terminals), or "not found"."""
    uses: tuple[str, ...]
    """What was done with it: "read", "written", "created", "replaced", "deleted", "executed", "mapped", ..."""
    bytes_read: int
    """Bytes that calls returned, mappings not included."""
    bytes_written: int
    opens: int
    calls: int
    """The calls that name it or act on a descriptor of it, except mmap and close."""
    errors: dict[str, int]
    """How many of the calls failed with which error."""
    programs: tuple[str, ...]
    """The programs that used it, at most eight; the file names of their executables."""
    first_line: int
    renamed_from: str | None = None
    renamed_to: str | None = None


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Lookups of one file name in several directories: it was found in the last one, or in none."""

    name: str
    candidates: tuple[str, ...]
    """The paths in the order of the lookups, at most 64."""
    tried: int
    """How many different paths were looked up."""
    found: str | None
    """The path that exists; None if none of them does."""
    times: int
    """How often the search was made with the same result."""
    programs: tuple[str, ...]
    first_line: int


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a trace: what was read, written and looked for."""

    source: Source
    files: tuple[FileUse, ...]
    """In the order of their groups, and within a group of their first line."""
    searches: tuple[Search, ...]
    """The most frequent first; paths that are only candidates of these are also in `files`."""
    left_out: int = 0
    """Calls on paths beyond the first 65,536."""
