"""A rule can be read, changed and left out alone: no rule imports a rule, and what rules share has an underscore."""

from __future__ import annotations

import ast
from pathlib import Path

import tracediag.rules

ROOT = Path(tracediag.rules.__file__).parent
RULES = {f"tracediag.rules.{page.parent.name}.{page.stem}" for page in ROOT.glob("*/*.md")}
"""The modules that have a page."""


def imported(module: Path) -> set[str]:
    """Return the modules that a module imports, those in functions and for types included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def test_no_rule_imports_a_rule() -> None:
    modules = [*ROOT.rglob("*.py")]
    assert len(RULES) > 50
    assert {path.name: both for path in modules if (both := imported(path) & RULES)} == {}


def test_a_module_of_a_family_without_a_page_has_an_underscore() -> None:
    modules = [path for path in ROOT.glob("*/*.py") if not path.with_suffix(".md").exists()]
    assert [path.name for path in modules if not path.name.startswith("_")] == []
