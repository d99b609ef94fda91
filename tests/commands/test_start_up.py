"""What a command imports: most of the time that a short trace takes is the start."""

import subprocess
import sys
from pathlib import Path

from command_line import environment

TRACE = Path(__file__).parents[2] / "samples" / "double-close" / "bug.f.strace"
HEAVY = {"html", "importlib.metadata", "rich", "rich.console", "socket", "subprocess", "tomllib"}
"""Each takes 1 to 20 ms, and a usual trace needs none of them; lark and what it imports parse the arguments."""
SELDOM = {
    "tracediag.accepting.acceptance",
    "tracediag.config.checks",
    "tracediag.overviews.counting.view",
    "tracediag.parsing.symbols",
    "tracediag.query",
    "tracediag.reading.margins.shapes",
    "tracediag.reading.sieve",
    "tracediag.rules.page_rules",
}


def imported(*arguments: object) -> set[str]:
    """Return the modules that are loaded when a command has run."""
    program = "import sys, tracediag.__main__ as it; it.main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_help_imports_nothing_heavy() -> None:
    modules = imported("--help")
    assert "tracediag.commands.grep" in modules
    assert (
        sorted(modules & {"lark", "rich.markdown", "rich.progress", "shtab", "tracediag.rules", "tracediag.kernel"})
        == []
    )


def test_the_analysis_of_a_plain_trace_imports_only_what_it_needs() -> None:
    imported("analyze", TRACE)  # makes the tables of the grammar, if there are none yet
    modules = imported("analyze", "--isolated", TRACE)
    assert "tracediag.rules.descriptor.double_close" in modules
    assert sorted(modules & (HEAVY | SELDOM)) == []
