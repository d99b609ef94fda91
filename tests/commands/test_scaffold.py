"""`tracediag rules new`: the files that it creates need only their content."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import tracediag

from tracediag.rules import all_rules
from tracediag.rules.pages import FENCE, parse_page

ROOT = Path(__file__).parents[2]
FILES = [
    "samples/socket-left-behind/bug.c",
    "samples/socket-left-behind/fixed.c",
    "samples/socket-left-behind/record.sh",
    "tracediag/rules/socket/socket_left_behind.md",
    "tracediag/rules/socket/socket_left_behind.py",
]


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / "tracediag", tmp_path / "tracediag", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "grammars", tmp_path / "grammars")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def files(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_skeleton_is_a_rule(checkout):
    before = files(checkout)
    done = tracediag("rules", "new", "socket-left-behind", "--family", "socket", "--dir", checkout)
    assert done.returncode == 0, done.stderr
    made = files(checkout) - before
    assert sorted(str(path.relative_to(checkout)) for path in made) == FILES
    assert all(str(path) in done.stdout for path in made)
    code = re.search(r'code = "(TD\d+)"', (checkout / FILES[4]).read_text())[1]
    assert code.startswith("TD2")
    assert code not in {rule.code for rule in all_rules()}
    page = parse_page((checkout / FILES[3]).read_text())
    assert page.title == f"socket-left-behind ({code})"
    assert page.sections.keys() == parse_page(all_rules()[0].page()).sections.keys()
    assert [found[0] for found in FENCE.findall((checkout / FILES[3]).read_text())] == ["", " quiet"]
    assert os.access(checkout / FILES[2], os.X_OK)
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check"], ["format", "--check"]):
        subprocess.run([*ruff, *command, FILES[4]], cwd=checkout, check=True, timeout=60)
    script = (
        "from tracediag.rules import find_rules; assert find_rules('socket-left-behind')[0] in find_rules('socket')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=checkout, check=True, timeout=60)


def test_nothing_is_overwritten(checkout):
    (checkout / "samples" / "socket-left-behind").mkdir(parents=True)
    (checkout / FILES[1]).write_text("mine\n")
    before = files(checkout)
    done = tracediag("rules", "new", "socket-left-behind", "--dir", checkout)
    assert done.returncode == 2
    assert done.stderr == f"tracediag: {checkout / FILES[1]}: already exists; nothing was written\n"
    assert files(checkout) == before
    assert (checkout / FILES[1]).read_text() == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Two_Words",), "not a rule name"),
        (("../../etc/x-y",), "not a rule name"),
        (("a-fault", "--family", "nothing"), "no family 'nothing'; families: descriptor, epoll, "),
        (("xyzzy-qqqq",), "--family"),
    ],
)
def test_wrong_names_are_refused(checkout, arguments, said):
    done = tracediag("rules", "new", *arguments, "--dir", checkout)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_folder_that_is_not_a_checkout_is_refused(tmp_path):
    done = tracediag("rules", "new", "a-fault", "--family", "file", "--dir", tmp_path)
    assert done.returncode == 2
    assert "not a checkout of tracediag" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_installed_package_is_left_alone(tmp_path):
    shutil.copytree(ROOT / "tracediag", tmp_path / "tracediag", ignore=shutil.ignore_patterns("__pycache__"))
    before = files(tmp_path)
    done = tracediag("rules", "new", "a-fault", "--family", "file", "--dir", tmp_path)
    assert done.returncode == 2
    assert done.stderr == f"tracediag: {tmp_path}: not a checkout of tracediag; name one with --dir\n"
    assert files(tmp_path) == before
