"""What --redact does: the secrets of a trace are learnt while it is read, and then hidden in its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.redaction import Secrets


def secrets_if(redact: bool) -> Secrets | None:  # its name is in that of the function
    """Return what learns the secrets of a trace, if they are to be hidden."""
    if not redact:
        return None
    from tracediag.redaction import Secrets

    return Secrets()


def shown(report: Report, secrets: Secrets | None) -> Report:
    """Return the report as it is to be written: with --redact, without secrets."""
    if secrets is None:
        return report
    from tracediag.redaction import redacted_with

    return redacted_with(report, secrets)
