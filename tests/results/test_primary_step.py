"""A finding is about one of its steps."""

import pytest

from tracediag.results.findings import Confidence, Finding, Severity, Step


def test_a_finding_without_a_primary_step_cannot_be_made():
    step = Step(line=1, text="close(3) = 0", note="fd 3 is closed")
    with pytest.raises(ValueError, match="double-close has no primary step"):
        Finding(
            code="TD303", name="double-close", severity=Severity.ERROR, confidence=Confidence.CERTAIN,
            title="fd 3 is closed twice", object="fd 3", steps=(step,), why="close(2)", fix="close once",
        )  # fmt: skip
