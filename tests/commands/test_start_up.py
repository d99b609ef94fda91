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


def test_reads_and_closes_need_no_grammar(tmp_path: Path) -> None:
    """Nor does any call whose arguments the model asks for are plain numbers, notes and paths."""
    lines = ['read(3</srv/a>, "ab", 4096) = 2', 'read(3</srv/a>, "", 4096) = 0', "close(3</srv/a>) = 0"] * 10
    trace = tmp_path / "trace"
    trace.write_text("".join(f"7 {line}\n" for line in lines))
    modules = imported("analyze", "--isolated", trace)
    assert "tracediag.rules.descriptor.double_close" in modules
    assert sorted(modules & (HEAVY | SELDOM | {"lark"})) == []
