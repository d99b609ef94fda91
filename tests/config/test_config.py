"""The configuration: which file is found, what it sets, and errors that name file, line, key and valid values."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from tracediag.config import ConfigError, find_config, read_config
from tracediag.config.find import MOST_BYTES
from tracediag.config.schema import valid


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_nearest_file_is_found_and_its_folders_are_relative_to_it(tmp_path: Path) -> None:
    project = write(tmp_path, "pyproject.toml", '[tool.tracediag]\nrules = ["lint/rules"]\n')
    write(tmp_path / "a", "pyproject.toml", "[project]\nname = 'other'\n")
    (tmp_path / "a" / "b").mkdir()
    assert find_config(tmp_path / "a" / "b") == project
    assert read_config(project).rules == (tmp_path / "lint" / "rules",)
    own = write(tmp_path / "a", "tracediag.toml", "rules = ['x', '/y']")
    assert find_config(tmp_path / "a" / "b") == own
    assert read_config(own).rules == (tmp_path / "a" / "x", Path("/y"))
    beside = write(tmp_path, "tracediag.toml", "")
    assert find_config(tmp_path) == beside
    assert read_config(beside).rules == ()


def test_a_project_file_without_the_name_is_passed_by_even_if_it_is_broken(tmp_path: Path) -> None:
    write(tmp_path / "a", "pyproject.toml", "= no TOML")
    assert find_config(tmp_path / "a") == find_config(tmp_path)
    os.mkfifo(tmp_path / "a" / "b")
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / "pyproject.toml")
    assert find_config(tmp_path / "b") == find_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project]\nname = 1\n[tool.tracediag]\n\nrule = ['x']\n", ":5: unknown key rule; did you mean rules?"),
        (
            "[tool.tracediag]\nspeed = 3\n",
            ":2: unknown key speed; keys: select, extend-select, ignore, rules, fail-on, format, output",
        ),
        ("[tool.tracediag]\nrules = 'x'\n", ":2: rules takes a list of strings"),
        ("[tool.tracediag]\nrules = ['x',\n 3]\n", ":2: rules takes a list of strings"),
        ("[tool]\nx = 1\ntracediag = 3\n", ":3: tool.tracediag is a table, written [tool.tracediag]"),
        ("[tool.x]\nrules = 1\n[tool.tracediag.rules]\na = 1\n", ":3: rules takes a list of strings"),
        ("[tool]\ntracediag.rules = 1\n", ":2: rules takes a list of strings"),
        (
            "[tool.tracediag]\n\nfail-on = ['error', 'bad']\n",
            ":3: fail-on: 'bad' is not never, or SEVERITY[:CONFIDENCE]",
        ),
        ("[tool.tracediag]\nfail-on = 3\n", ":2: fail-on takes a string or a list of strings"),
        ("[tool.tracediag]\nfail-on = ['never', 'error']\n", ":2: fail-on: never stands alone"),
        ("[tool.tracediag]\nformat = 'xml'\n", ":2: format: 'xml' is none of full, concise"),
        ("[tool.tracediag]\noutput = ['sarif']\n", ":2: output: 'sarif' is not FORMAT:FILE"),
        ("[tool.tracediag]\nrules = [\n", ": not TOML: Invalid value"),
        ("[tool.tracediag]\nrules = x\n", ":2: not TOML: Invalid value"),
        ("# tracediag\nx = " + "9" * 5000, ": not TOML: Exceeds the limit"),
        ("# tracediag\nx = " + "[" * 5000, ": not TOML"),
    ],
)
def test_errors_name_the_line_the_key_and_what_is_valid(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, "pyproject.toml", text)
    with pytest.raises(ConfigError, match=re.escape(f"{path}{said}")) as caught:
        read_config(path)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_an_error_not_a_hang(tmp_path: Path) -> None:
    path = tmp_path / "tracediag.toml"
    path.symlink_to(path)
    assert find_config(tmp_path) == path
    with pytest.raises(ConfigError, match="symbolic links"):
        read_config(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        read_config(path)
    path.unlink()
    path.write_bytes(b"rules = ['\xff']")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(path)
    path.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match="more than 1,048,576 bytes"):
        read_config(path)


def test_what_is_valid_is_told_from_the_type() -> None:
    class Later(msgspec.Struct):
        fail: Literal["error", "never"]
        quiet: bool
        least: int | None
        names: dict[str, int]

    fields = msgspec.inspect.type_info(Later).fields
    assert [valid(field.type) for field in fields] == [
        "one of error, never", "true or false", "a whole number or nothing", "a table",
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tracediag.toml"
    path.write_bytes(b'\xef\xbb\xbffail-on = "error"\nselect = ["TD1"]\n')
    found = read_config(path)
    assert (found.config.limits, found.line("fail-on"), found.line("select")) == ("error", 1, 2)


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        (
            "tracediag.toml",
            "tool.tracediag",
            ":2: [tool.tracediag] is no table of this file: write its keys at the top",
        ),
        ("tracediag.toml", "tool.tracediag.thresholds", "[tool.tracediag] is no table of this file"),
        ("ci.toml", "tracediag", ":2: [tracediag] is no table of this file: write its keys at the top"),
        ("pyproject.toml", "tracediag", ":2: [tracediag] is not read; name it [tool.tracediag]"),
    ],
)
def test_a_table_of_the_other_file_is_told(tmp_path: Path, name: str, table: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(f"\n[{table}]\n")
    with pytest.raises(ConfigError) as raised:
        read_config(path)
    assert said in str(raised.value)


def test_a_threshold_outside_of_its_table_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "tracediag.toml").write_text("slow-call = '1s'\n")
    with pytest.raises(ConfigError, match=r"1: unknown key slow-call; did you mean thresholds\.slow-call"):
        read_config(tmp_path / "tracediag.toml")
