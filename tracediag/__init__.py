"""Reads an strace log as an expert would, and tells what is wrong, with proof.

    from tracediag import analyze, read

    report = analyze("run.strace")          # all findings, in order of rank
    for event in read("run.strace"): ...    # what the trace says, whole calls

`diagnose` gives the findings as a stream, while the trace is still being read. Nothing here prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracediag.api import analyze, diagnose, read

__all__ = ["analyze", "diagnose", "read"]


def __getattr__(name: str) -> Any:
    """Import the library only when it is used: `tracediag --help` and the bundled server do without it."""
    if name in __all__:
        from tracediag import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
