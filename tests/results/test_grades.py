"""Grades are ordered by their meaning."""

from __future__ import annotations

import pytest

from tracediag.results.grades import Confidence, Severity


def test_severity_orders_by_badness() -> None:
    assert Severity.ERROR >= Severity.WARNING
    assert Severity.NOTE < Severity.WARNING < Severity.ERROR
    assert max(Severity) is Severity.ERROR
    assert sorted(Severity, reverse=True) == ["error", "warning", "note"]


def test_confidence_orders_by_certainty() -> None:
    assert Confidence.CERTAIN > Confidence.LIKELY > Confidence.POSSIBLE
    assert min(Confidence.CERTAIN, Confidence.POSSIBLE) is Confidence.POSSIBLE


def test_a_plain_name_compares_by_its_meaning() -> None:
    assert Severity.ERROR > "note"
    assert min("warning", Severity.ERROR) == "warning"
    with pytest.raises(TypeError, match="Severity cannot be compared with"):
        assert Severity.ERROR > Confidence.CERTAIN
