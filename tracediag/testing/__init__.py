"""Tests of a program's system calls: what it must not do, and what a diagnosis must not find.

    from tracediag.testing import assert_max_calls, assert_no_call, assert_no_finding

    def test_the_tool_stays_offline(strace):              # the fixture of the pytest plugin
        report = strace.run(["./tool", "--check"])
        assert_no_call(report, "connect", where="fd.peer.port == 443")
        assert_max_calls(report, 50, "openat")
        assert_no_finding(report)

plugin    the pytest plugin: --strace, the marker and the fixture
marks     what the marker says
tracing   a test with strace attached to its process
runner    a command of a test under strace
asserting the assertions; they need no pytest
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracediag.testing.asserting import assert_max_calls, assert_no_call, assert_no_finding

__all__ = ["assert_max_calls", "assert_no_call", "assert_no_finding"]


def __getattr__(name: str) -> Any:
    """Import the assertions when they are first used: pytest imports this package for every project."""
    if name in __all__:
        return getattr(importlib.import_module("tracediag.testing.asserting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
