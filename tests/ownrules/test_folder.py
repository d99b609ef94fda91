"""A folder of rules may hold anything: what is no page is passed by, a broken one is a problem with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracediag.ownrules.folder import MOST_BYTES, MOST_ENTRIES, MOST_PAGES, PageText, RulesFolderError, pages_in
from tracediag.results.problems import Problem

HEAD = "---\nseverity: note\n---\n# a-page (X1)\n"


def found(folder: Path) -> dict[str, str]:
    """Return what is made of each file: the beginning of its text, or what is wrong."""
    return {
        Path(each.path).name if isinstance(each, PageText) else Path(each.file).name: (
            each.text[:3] if isinstance(each, PageText) else f"{each.line or ''}: {each.message}"
        )
        for each in pages_in(folder)
    }


def test_pages_are_read_by_name_and_others_passed_by(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", ".hidden.md"):
        (tmp_path / name).write_text(HEAD)
    (tmp_path / "windows.md").write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    (tmp_path / "zeal.md").write_text(HEAD.replace("---\n", "--- \t\n"))
    (tmp_path / "README.md").write_text("# Our rules\n\n---\n")
    (tmp_path / "rule.py").write_text("raise SystemExit")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "c.md").write_text(HEAD)
    assert [each.path.name for each in pages_in(tmp_path) if isinstance(each, PageText)] == [
        "a.md",
        "b.md",
        "windows.md",
        "zeal.md",
    ]
    assert len(list(pages_in(tmp_path))) == 4
    assert {each.text for each in pages_in(tmp_path) if isinstance(each, PageText)} == {HEAD}
    assert all("\r" not in each.text for each in pages_in(tmp_path) if isinstance(each, PageText))


def test_what_cannot_be_a_page_is_told_and_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(HEAD)
    (tmp_path / "headless.md").write_text("# headless (X2)\n")
    (tmp_path / "huge.md").write_text(HEAD + " " * MOST_BYTES)
    (tmp_path / "latin.md").write_bytes(HEAD.encode() + b"caf\xe9\n")
    (tmp_path / "binary.md").write_bytes(b"---\nseverity: \x00\x1b[2J\n")
    (tmp_path / "loop.md").symlink_to("loop.md")
    (tmp_path / "gone.md").symlink_to("nowhere")
    (tmp_path / "endless.md").symlink_to("/dev/zero")
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "fifo.md")
    assert found(tmp_path) == {
        "good.md": "---",
        "headless.md": "1: a page of a rule begins with its head, between two lines `---`",
        "huge.md": ": more than 262,144 bytes",
        "latin.md": "5: not UTF-8",
        "binary.md": "2: a page is text: it has no character '\\x00'",
        "loop.md": ": Too many levels of symbolic links",
        "gone.md": ": No such file or directory",
        "endless.md": ": not a regular file",
        "folder.md": ": Is a directory",
        "fifo.md": ": not a regular file",
    }


def test_a_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.md", "wb") as stream:  # noqa: PTH123
        stream.write(b"---\n\xff")
    (problem,) = pages_in(tmp_path)
    assert isinstance(problem, Problem)
    assert problem.place == f"{tmp_path}/\\xff.md:2"


def test_very_many_pages_or_files_end_the_reading(tmp_path: Path) -> None:
    for number in range(MOST_PAGES + 5):
        (tmp_path / f"{number:04}.md").write_text(HEAD)
    *pages, last = pages_in(tmp_path)
    assert len(pages) == MOST_PAGES
    assert isinstance(last, Problem)
    assert last.message == "not read: a folder of rules has at most 500 pages"
    for number in range(MOST_ENTRIES):
        os.mknod(tmp_path / f"{number}")
    with pytest.raises(RulesFolderError, match="more than 10,000 files"):
        list(pages_in(tmp_path))


@pytest.mark.parametrize("name", ["nowhere", "file", "loop", "nul\0"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RulesFolderError):
        list(pages_in(tmp_path / name))
