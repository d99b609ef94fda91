"""The rules, one after another, and the flag that writes the reports on their pages."""

from __future__ import annotations

import pytest

from tracediag.rules import Rule, all_rules


@pytest.fixture(scope="session", params=all_rules(), ids=lambda rule: rule.name)
def rule(request: pytest.FixtureRequest) -> type[Rule]:
    """Each rule in turn: all tests of one follow each other, whatever their file, and share what its traces gave."""
    found: type[Rule] = request.param
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-pages", action="store_true", help="write the report under each trace on the pages of the rules"
    )
