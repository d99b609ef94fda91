"""TD700: a failed call that nothing else explains."""

from __future__ import annotations

from tracediag.results.findings import Severity
from tracediag.rules.failing import FailureRule


class FailedCall(FailureRule):
    """An excerpt whose subject is a failed call that no page is about."""

    code = "TD700"
    name = "failed-call"
    severity = Severity.WARNING
    summary = "a call fails, and the excerpt does not show what the program does about it"
