"""The flag that writes the reports on the rules' pages."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-pages", action="store_true", help="write the report under each trace on the pages of the rules"
    )
