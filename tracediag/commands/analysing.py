"""What the commands that analyse traces share: an analysis as the options say, and what is said of one that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tracediag.commands.inforce import Applied, selected
from tracediag.commands.judging import JudgingOptions

if TYPE_CHECKING:
    from tracediag.analysis import Analysis
    from tracediag.reading import Source
    from tracediag.redaction import Secrets
    from tracediag.snapshot import Snapshot


def analysis_of(
    source: str | Source,
    options: JudgingOptions,
    applied: Applied,
    *,
    progress: Callable[[int], None] | None = None,
    strict: bool = False,
    known: Snapshot | None = None,
    secrets: Secrets | None = None,
) -> Analysis:
    """Return an analysis, not begun, with the rules that the options select and what is done to their findings.

    `secrets` learns from the lines while they are read.
    """
    from tracediag.analysis import Analysis

    return Analysis(
        source,
        select=selected(options),
        ignore=options.ignore or (),
        rules=applied.rules,
        progress=progress,
        strict=strict,
        debug=options.debug,
        known=known,
        adjust=applied.acceptance,
        overhear=None if secrets is None else secrets.read,
    )


def name_of(source: str | Source) -> str:
    """Return the name of a trace, as it was given."""
    return source if isinstance(source, str) else source.name


def reason(source: str | Source, error: Exception, secrets: Secrets | None) -> str:
    """Return why a trace could not be analysed, in one line that begins with its name; with --redact without secrets.

    `error` is an UnreadableError or a NotUnderstoodError.
    """
    from tracediag.reading import UnreadableError

    said = str(error) if isinstance(error, UnreadableError) else f"{name_of(source)}: {error}"
    return said if secrets is None else secrets.redactor().text(said)
