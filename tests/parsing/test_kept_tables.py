"""lark's tables in the user's cache folder: kept, and read only if no other user can have written them."""

import os
import subprocess
import sys
from functools import partial

import pytest

from tracediag.languages import tables, texts
from tracediag.parsing import grammar

TEXT = texts.grammar_text("strace.lark")
BODY = '3, [{a=1, b="x"...}, 0x2], O_RDONLY|O_CLOEXEC'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tracediag"


def parse():
    return tables.with_kept_tables("strace", TEXT, partial(grammar.build, TEXT)).parse(BODY)


def kept(cache):
    (path,) = cache.iterdir()
    return path


def test_kept_tables_parse_as_built_ones_do(cache):
    built = parse()
    before = kept(cache).stat().st_mtime_ns
    assert parse() == built == grammar.build(TEXT, tables=False).parse(BODY)
    assert kept(cache).stat().st_mtime_ns == before  # the second run read them


def test_another_grammar_has_another_file(cache):
    parse()
    other = TEXT + "\n// changed\n"
    tables.with_kept_tables("strace", other, partial(grammar.build, other))
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"no pickle", None])
def test_damaged_tables_are_built_again(cache, damage):
    built = parse()
    path = kept(cache)
    path.write_bytes(path.read_bytes()[:20_000] if damage is None else damage)
    assert parse() == built
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize("what", ["folder", "file", "symlink", "FIFO"])
def test_what_others_can_write_is_not_read(cache, what):
    """The file would create a witness if it was read: a pickle may run code."""
    built = parse()
    path, witness = kept(cache), cache.parent / "witness"
    first_line = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(first_line + b"\ncos\nmkdir\n(V" + str(witness).encode() + b"\ntR.")
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
    assert parse() == built
    assert not witness.exists()


def test_the_witness_would_be_made(cache):
    parse()
    path, witness = kept(cache), cache.parent / "witness"
    first_line = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(first_line + b"\ncos\nmkdir\n(V" + str(witness).encode() + b"\ntR.")
    parse()
    assert witness.exists()


@pytest.mark.parametrize("alone", [True, False])
def test_a_folder_to_which_another_writes_is_left_alone(cache, alone):
    built = parse()
    kept(cache).unlink()
    with tables._locked(cache, alone=alone):
        assert parse() == built
    assert not list(cache.iterdir())


def test_several_read_at_once(cache):
    parse()
    asked = []
    with tables._locked(cache, alone=False):
        tables.with_kept_tables("strace", TEXT, lambda path: asked.append(path) or grammar.build(TEXT, path))
    assert asked == [str(kept(cache))]


def test_without_a_folder_the_tables_are_built(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert parse()
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_home_that_does_not_exist_is_neither_an_error_nor_made(tmp_path):
    home = tmp_path / "none"
    told = subprocess.run(
        [sys.executable, "-m", "tracediag", "summary"],
        env={"PATH": os.defpath, "HOME": str(home)},
        input=f"semop({BODY}) = 0\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "tracediag: -: 1 line, 1 call\n")
    assert not home.exists()
