"""The layout of a summary: on a terminal, off one, as JSON; and no text of a trace does harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracediag.overviews import VIEWS, summarise
from tracediag.report.base import Look
from tracediag.report.summary_table import document, table

RECORDED = Path(__file__).parent / "recorded"
LOOKS = {
    "plain": Look(),
    "terminal": Look(width=110),
    "colour": Look(width=110, colour=True),
    "narrow": Look(width=60),
    "ascii": Look(ascii_only=True),
    "ascii terminal": Look(width=110, ascii_only=True),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("by", VIEWS)
def test_tables(by, look, snapshot):
    summary = summarise(str(RECORDED / "threads.strace"), by, limit=6)
    shown = table(summary, LOOKS[look])
    assert shown == snapshot
    assert shown.isascii() or "ascii" not in look


@pytest.mark.parametrize("name", ["plain", "shell"])
def test_with_and_without_times(name, snapshot):
    assert table(summarise(str(RECORDED / f"{name}.strace"), limit=4), Look()) == snapshot


def test_document():
    summary = summarise(str(RECORDED / "shell.strace"), limit=2)
    found = json.loads(document(summary))
    assert found["schema"] == "tracediag-summary/1"
    first, row = found["rows"][0], summary.rows[0]
    assert (
        (first["name"], first["calls"], first["parts"])
        == (row.name, row.calls, row.parts)
        == ("wait4", 7, {"ECHILD": 1})
    )
    assert row.times is not None
    assert [first[name] for name in ("total", "share", "p99", "max")] == [
        row.times.total, row.times.share, row.times.p99, row.times.max,
    ]  # fmt: skip
    assert found["total"]["calls"] == found["sources"][0]["calls"]


def test_document_without_times_has_no_such_fields():
    found = json.loads(document(summarise(str(RECORDED / "plain.strace"))))
    assert not {"mean", "p50", "max", "share", "times"} & found["rows"][0].keys()


@pytest.mark.parametrize("look", [Look(), Look(width=80), Look(width=80, colour=True), Look(ascii_only=True)])
def test_hostile_names(tmp_path, look):
    path = tmp_path / "trace"
    path.write_bytes(
        rb"""1 open("[pid 7]\33[2J[/tmp/x]\342\200\256", O_RDONLY) = 3
1 open("\377\nb[bold]", O_RDONLY) = -1 ENOENT (No such file or directory)
1 close(3</a\33[2J>) = 0
"""
        * 2
    )
    shown = table(summarise(str(path), "file"), look)
    joined = shown.replace("\n", "").replace(" ", "")
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    assert "[pid7]" in joined
    assert "[/tmp/x]" in joined
    assert "[bold]" in joined
    json.loads(document(summarise(str(path), "file")))
