"""The tables of a grammar in the user's cache folder: kept, and read only if no other user can have written them."""

import os
import subprocess
import sys

import msgspec
import pytest

from tracediag.languages import tables
from tracediag.languages.machine import Machine
from tracediag.parsing.builder import makers
from tracediag.parsing.strict import parser

BODY = '3, [{a=1, b="x"...}, 0x2], O_RDONLY|O_CLOEXEC'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tracediag"


def read():
    return tables.kept_tables("strace", "arguments")


def terminals():
    return read().terminals  # lark numbers the states in another order each time


def kept(cache):
    (path,) = cache.iterdir()
    return path


def changed(path):
    """Write tables in which the language has one terminal less; return the right ones."""
    right = read()
    wrong = {name: pattern for name, pattern in right.terminals.items() if name != "CHAR"}
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(right, terminals=wrong)))
    return right


def test_kept_tables_are_those_that_were_made(cache):
    made = read()
    before = kept(cache).stat().st_mtime_ns
    assert read() == made
    assert kept(cache).stat().st_mtime_ns == before  # the second run read them
    assert Machine(made, makers()).parse(BODY) == parser().parse(BODY)


def test_another_grammar_has_another_file(cache, monkeypatch):
    right = read()
    monkeypatch.setattr(tables, "grammar_text", lambda _: right.grammar + "\n// changed\n")
    assert read().grammar != right.grammar
    assert len(list(cache.iterdir())) == 2


def test_tables_of_another_grammar_are_made_again(cache):
    right = read()
    path = kept(cache)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(right, grammar="", terminals={})))
    assert terminals() == right.terminals
    assert terminals() == msgspec.json.decode(path.read_bytes(), type=tables.Tables).terminals


@pytest.mark.parametrize("damage", [b"", b"no JSON", b"{}", None])
def test_damaged_tables_are_made_again(cache, damage):
    made = terminals()
    path = kept(cache)
    path.write_bytes(path.read_bytes()[:20_000] if damage is None else damage)
    assert terminals() == made
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize("what", ["folder", "file", "symlink", "FIFO"])
def test_what_others_can_write_is_not_read(cache, what):
    read()
    path = kept(cache)
    right = changed(path)
    match what:
        case "folder":
            cache.chmod(0o777)
        case "file":
            path.chmod(0o666)
        case "symlink":
            path.rename(cache.parent / "elsewhere")
            path.symlink_to(cache.parent / "elsewhere")
        case _:
            path.unlink()
            os.mkfifo(path)
    assert terminals() == right.terminals


def test_the_changed_tables_would_be_read(cache):
    read()
    assert changed(kept(cache)).terminals != terminals()


def test_without_a_folder_the_tables_are_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert read().states
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_where_the_folder_cannot_be_written_nothing_is_left(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert read().states
    assert not list(cache.iterdir())


def test_a_home_that_does_not_exist_is_neither_an_error_nor_made(tmp_path):
    home = tmp_path / "none"
    told = subprocess.run(
        [sys.executable, "-m", "tracediag", "analyze", "-"],
        env={"PATH": os.defpath, "HOME": str(home)},
        input=f"semop({BODY}) = 0\npoll([{{fd=3, events=POLLIN}}], 1, 5) = 0 (Timeout)\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "tracediag: <stdin>: 2 lines, 2 calls: no findings\n")
    assert not home.exists()
