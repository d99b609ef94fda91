"""Python rules of installed packages: applied like ours; a broken one costs its own findings and is named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from command_line import tracediag

TRACE = """\
7 execve("./app", ["./app"], 0x7ffd) = 0
7 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3
7 close(3) = 0
7 close(3) = -1 EBADF (Bad file descriptor)
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""
HEAD = """\
from tracediag.results.findings import Severity, step
from tracediag.rules.base import Rule, on_errno

class Mine(Rule):
    code, name, severity, summary = "ACME7", "acme-close", Severity.WARNING, "closes what is not open"

    @on_errno("EBADF")
    def failed(self, action):
        yield self.finding([step(action.call, "fails", primary=True)], object="fd", title="t", why="w", fix="f")
"""
BROKEN = {
    "does not exist": ("acme:Missing", "", "AttributeError: module 'acme' has no attribute 'Missing'"),
    "does not import": ("acme:Mine", "raise SystemExit('no')", "SystemExit: no"),
    "is no rule": ("acme:RULE", "RULE = 3", "no class of a rule: it has to inherit from tracediag.rules.Rule"),
    "has our letters": ("acme:Mine", "Mine.code = 'TD1'", "the code TD1: TD stands for tracediag's own rules"),
    "has our name": ("acme:Mine", "Mine.name = 'crashed'", "the name crashed is taken by tracediag's own TD501"),
    "has a family's name": ("acme:Mine", "Mine.name = 'epoll'", "the name epoll is taken by a family of rules"),
    "lacks a part": ("acme:Mine", "del Mine.summary", "Mine.summary is missing, or no text"),
    "needs what is no fact": ("acme:Mine", "Mine.needs = ('luck',)", "Mine.needs takes of times, durations"),
    "hears nothing": ("acme:Mine", "del Mine.failed", "Mine subscribes to nothing"),
    "is there twice": ("acme:RULES", "RULES = [Mine, Mine]", "the code ACME16 is taken by entry point x09"),
    "cannot be listed": ("acme:RULES", "def f():\n    yield Mine\n    raise OSError()\nRULES = f()", "OSError:"),
    "leaves its findings to no rule": ("acme:Mine", "Mine.found_by = 'luck'", "Mine.found_by: only a rule of"),
    "leaves its findings to ours": ("acme:Mine", "Mine.found_by = 'crashed'", "Mine.found_by: only a rule of"),
}  # fmt: skip
YIELDS_TEXT = """@on_errno("EBADF")
    def failed(self, action):
        yield "EBADF"
"""
ENDS_THE_PROGRAM = """@on_errno("EBADF")
    def failed(self, action):
        raise SystemExit(0)
"""
INTERRUPTS = """@on_errno("EBADF")
    def failed(self, action):
        raise KeyboardInterrupt
"""
MEETS_A_SIGNAL = """@on_errno("EBADF")
    def failed(self, action):
        import signal
        signal.raise_signal(signal.SIGINT)
        while True:
            pass
"""
YIELDS_A_WRONG_PART = """@on_errno("EBADF")
    def failed(self, action):
        yield self.finding([step(action.call, "x", primary=True)], object=3, title="t", why="w", fix="f")
"""
FAILING = {
    "raises when it is made": ("def __init__(self): raise OSError('off')", "OSError: off"),
    "raises when it is judged": ("def proves(self, finding): raise OSError('off')", "OSError: off"),
    "yields no finding": (YIELDS_TEXT, "TypeError: a rule yields findings, not str"),
    "ends the program": (ENDS_THE_PROGRAM, "SystemExit: 0"),
    "raises KeyboardInterrupt": (INTERRUPTS, "KeyboardInterrupt:"),
    "yields a wrong part": (YIELDS_A_WRONG_PART, "TypeError: a finding with a part of the wrong type"),
}


def installed(folder: Path, rules: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Install a package with an entry point and a module for each (name, code) of a module; return the environment."""
    points = []
    for number, (name, code) in enumerate(rules.values()):
        head = HEAD.replace("ACME7", f"ACME{number + 7}").replace("acme-close", f"acme-close-{number}")
        (folder / f"acme{number}.py").write_text(head + code)
        points.append(f"x{number:02} = {name.replace('acme:', f'acme{number}:')}\n")
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tracediag.rules]\n" + "".join(points))
    (folder / "t.strace").write_text(TRACE)
    return {"PYTHONPATH": os.fspath(folder)}


def run(folder: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return tracediag(*arguments, cwd=folder, env=env)


def test_an_installed_rule_is_listed_selected_and_applied(tmp_path: Path) -> None:
    env = installed(tmp_path, {"sound": ("acme:Mine", "")})
    done = run(tmp_path, env, "analyze", "--format", "concise", "--select", "acme", "t.strace")
    assert (done.returncode, done.stderr) == (1, "tracediag: t.strace: 6 lines, 5 calls: 1 warning\n")
    assert done.stdout == "t.strace:4: warning[ACME7] acme-close-0: t\n"
    assert "ACME7  acme-close-0" in run(tmp_path, env, "rules").stdout
    without = run(tmp_path, env, "analyze", "--format", "json", "--ignore", "own", "t.strace")
    assert "ACME7" not in without.stdout
    page = run(tmp_path, env, "explain", "acme-close-0")
    assert (page.returncode, page.stderr) == (2, "tracediag: acme-close-0 has no page: closes what is not open\n")


def test_those_that_cannot_be_loaded_cost_nobody_else(tmp_path: Path) -> None:
    env = installed(tmp_path, {what: (name, code) for what, (name, code, _) in BROKEN.items()})
    done = run(tmp_path, env, "analyze", "--format", "json", "t.strace")
    report = json.loads(done.stdout)
    assert done.returncode == 2
    assert "double-close" in {finding["name"] for finding in report["findings"]}
    assert len(report["broken"]) == len(BROKEN)
    for number, (broken, (name, _, said)) in enumerate(zip(report["broken"], BROKEN.values(), strict=True)):
        assert (broken["own"], broken["line"]) == (True, None)
        assert broken["place"] == f"entry point x{number:02} = {name.replace('acme:', f'acme{number}:')}"
        assert broken["error"].startswith(said.replace("'acme'", f"'acme{number}'"))
        assert f"tracediag: {broken['place']}: {broken['error']}\n" in done.stderr


def test_those_that_fail_cost_their_own_findings(tmp_path: Path) -> None:
    rules = {what: ("acme:Mine", f"\nclass Mine(Mine):\n    {method}\n") for what, (method, _) in FAILING.items()}
    env = installed(tmp_path, rules)
    done = run(tmp_path, env, "analyze", "--format", "json", "t.strace")
    report = json.loads(done.stdout)
    assert done.returncode == 2
    assert {finding["name"] for finding in report["findings"]} == {"double-close"}
    broken = {each["rule"]: each for each in report["broken"]}
    assert len(broken) == len(FAILING)
    for number, (_, said) in enumerate(FAILING.values()):
        assert broken[f"acme-close-{number}"]["error"].startswith(said)
        assert (broken[f"acme-close-{number}"]["place"], broken[f"acme-close-{number}"]["own"]) == (None, True)
    for form, said in (
        ("concise", "t.strace: not judged: the rule acme-close-0 failed: OSError: off\n"),
        ("github", "::error file=t.strace,line=1,title=not judged::the rule acme-close-0 failed: OSError: off\n"),
    ):
        assert said in run(tmp_path, env, "analyze", "--format", form, "t.strace").stdout
    full = run(tmp_path, env, "analyze", "t.strace").stdout
    assert (
        "rules of your own that stopped with an error:\n    acme-close-0 before the first line: OSError: off\n" in full
    )


def test_ctrl_c_while_a_rule_runs_ends_the_command(tmp_path: Path) -> None:
    rule = ("acme:Mine", f"\nclass Mine(Mine):\n    {MEETS_A_SIGNAL}\n")
    done = run(tmp_path, installed(tmp_path, {"meets a signal": rule}), "analyze", "t.strace")
    assert done.returncode in {-signal.SIGINT, 128 + signal.SIGINT}
    assert "acme-close" not in done.stdout + done.stderr
