"""Every command on README.md, CONTRIBUTING.md and docs/ is right: it is run, in a folder with what its words name.

Those whose output a page shows are compared with it by tests/commands/test_asking.py, tests/query/test_query_page.py
and tests/ownrules/test_own_rules_page.py. Those in `ELSEWHERE` need a process that runs, a terminal or a user: only
their options are checked here, and the file that is named runs them. Of `apt-get` and `pipx` nothing is run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import needs_strace, tracediag

from tracediag.__main__ import main
from tracediag.commands.parser import build_parser, parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SAMPLES = ROOT / "samples"
TRACE = SAMPLES / "socket-server-absent" / "bug.strace"
ELSEWHERE = {
    "run -p": "tests/commands/test_attach.py",
    "run --for": "tests/commands/test_attach.py",
    "demo": "tests/commands/test_live.py",
    "serve": "tests/commands/test_serve.py",
    "doctor": "tests/commands/test_doctor.py",
    "rules new": "tests/commands/test_scaffold.py",
    "analyze -j": "tests/commands/test_many_at_a_time.py",
    "analyze --follow": "tests/commands/test_as_it_comes.py",
}
WORDS = {
    "COMMAND": "true",
    "errno == EPIPE": "errno == ENOENT",
    "MESSAGE": "No such file",
    "OBJECT": "fd 3@34",
    "QUERY": "failed",
    "RULE": "double-close",
    "TRACE": "server.strace",
    "TRACE:LINE": "server.strace:34",
    "FORMAT:FILE": "junit:report.xml",
    "fd 7@976": "fd 3@34",
    "Permission denied": "No such file",
}
"""What the words of the pages stand for here; other words in capitals name files of the folder."""
SILENT = {"--write", "check", "--only-on-failure"}
"""What prints nothing where nothing is wrong."""
_COMPLETE = ("rules", "config", "schema")
"""Commands that need no argument."""
_LINE = re.compile(r"^(?:    )?(?P<shown>\$ )?(?P<command>(?:tracediag|strace|make) .*?)(?:  +#.*)?$")
_BARE = re.compile(r"[a-z]+(?: -[\w-]+)*(?: json)?")
"""What names a subcommand and some of its options, and no more: `analyze`, `run -p`."""
_INLINE = re.compile(r"`((?:tracediag|make) [^`]+)`")


def _commands() -> dict[str, str]:
    """Return every command with the page that it stands on."""
    found: dict[str, str] = {}
    for page in PAGES:
        fenced = False
        for line in page.read_text("utf-8").splitlines():
            fenced ^= line.startswith("```")
            whole = _LINE.match(line) if line.startswith("    ") or fenced else None
            if whole is not None and not whole["shown"]:
                found.setdefault(whole["command"].strip(), page.name)
            elif whole is None:
                for command in _INLINE.findall(line):
                    found.setdefault(command, page.name)
    return found


COMMANDS = _commands()
OURS = sorted(command for command in COMMANDS if command.startswith("tracediag "))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the commands name."""
    folder = tmp_path_factory.mktemp("user")
    for name in ("server.strace", "PREFIX.12283"):
        shutil.copy(TRACE, folder / name)
    (folder / "traces").mkdir()
    shutil.copy(SAMPLES / "double-close" / "bug.strace", folder / "traces" / "a.strace")
    shutil.copytree(ROOT / "tests" / "data" / "own_rules" / "good", folder / "lint" / "rules")
    (folder / "DIR").symlink_to("lint/rules")
    shutil.copy(SAMPLES / "attach" / "deadlock.strace", folder / "hung.strace")
    (folder / "stacks.txt").write_text("Thread 1 (LWP 24598):\n#0  futex_wait () from /lib/libc.so.6\n")
    (folder / "fds.txt").write_text("total 0\nlrwx------ 1 root root 64 Nov 28 13:11 0 -> /dev/pts/0\n")
    known = tracediag("baseline", "-q", "traces/a.strace", "--write", "tracediag-baseline.json", cwd=folder)
    assert known.returncode == 0
    server = folder / "server"
    server.write_text("#!/bin/sh\nexit 0\n")
    server.chmod(0o755)
    (folder / "Makefile").write_text("check:\n\t@true\n")
    return folder


def _words(command: str) -> list[str]:
    """Return the arguments of a command of ours, with real ones for those in capitals."""
    command = command.partition(" > ")[0].replace("TRACE...", "TRACE").replace("$GITHUB_STEP_SUMMARY", "summary.md")
    words = [WORDS.get(word, word) for word in shlex.split(command)[1:]]
    if words[:2] == ["analyze", "FILE"]:
        words[1] = "server.strace"
    if words[-1] == "run.strace":
        words[-1] = "server.strace"
    if words[0] == WORDS["COMMAND"]:
        words[0] = "tree"
    return ["markdown:summary.md" if word.startswith("markdown:") else word for word in words]


def _elsewhere(words: list[str]) -> bool:
    return any(all(part in words for part in each.split()) and each.split()[0] == words[0] for each in ELSEWHERE)


def _options_of(subcommand: str) -> set[str]:
    (actions,) = (each for each in build_parser((subcommand,))._actions if isinstance(each, argparse._SubParsersAction))
    return {option for action in actions.choices[subcommand]._actions for option in action.option_strings}


def _run(words: list[str]) -> tuple[int, str, str]:
    """Return the exit code and what is printed and said; only what starts strace needs a process of its own."""
    if words[0] == "run":
        done = tracediag(*words)
        return done.returncode, done.stdout, done.stderr
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        code = main(words)
    return code, printed.getvalue(), said.getvalue()


@pytest.mark.parametrize("command", OURS)
def test_a_command_of_ours_runs(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = _words(command)
    if _BARE.fullmatch(" ".join(words)) and words[0] not in _COMPLETE:
        assert {word for word in words[1:] if word.startswith("-")} <= _options_of(words[0])
        return
    if _elsewhere(words):
        if "new" not in words:
            parse(words)
        return
    if words[0] == "run" and shutil.which("strace") is None:
        pytest.skip("needs strace")
    words = [str(each) for word in words for each in (sorted(folder.glob(word)) if "*" in word else [word])]
    monkeypatch.chdir(folder)
    code, printed, said = _run(words)
    assert code in (0, 1), (words, said)
    assert printed or SILENT & {*words}


@needs_strace
@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("strace ")])
def test_a_recording_by_hand_can_be_analysed(command: str, folder: Path, tmp_path: Path) -> None:
    by_hand, _, ours = command.partition(" | ")
    by_hand = by_hand.replace("COMMAND", "true").replace(" 2>&1", "").replace(" -p PID", " true")
    (tmp_path / "server").symlink_to(folder / "server")
    recorded = subprocess.run(shlex.split(by_hand), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert recorded.returncode == 0, recorded.stderr
    ours = ours or "tracediag analyze " + ("server.strace" if "server.strace" in command else "FILE")
    done = tracediag(*shlex.split(ours)[1:], cwd=tmp_path, input=recorded.stderr)
    assert "traced  " in done.stdout


def test_make_has_each_target() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {command.split()[1] for command in COMMANDS if command.startswith("make ")} <= set(targets)


def test_what_is_run_elsewhere_is() -> None:
    for command, file in ELSEWHERE.items():
        assert command.split()[0] in (ROOT / file).read_text(), command
