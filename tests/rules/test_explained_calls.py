"""A failed call gets the meaning that its error has for this call, where the error alone says too little."""

from __future__ import annotations

from pathlib import Path

from tracediag.rules.readings import heads, meanings


def _pairs() -> list[tuple[str, str]]:
    lines = Path(__file__).with_name("explained.tsv").read_text(encoding="utf-8").splitlines()
    split = (line.split("\t") for line in lines if not line.startswith("#"))
    return [(call, errno) for errno, calls in split for call in calls.split()]


def test_an_error_of_a_call_is_explained_for_the_call() -> None:
    known = set(meanings())
    for head in heads().values():
        for reading in head.readings:
            known |= {(call, errno) for call in reading.query.calls or () for errno in reading.errnos}
    assert [pair for pair in _pairs() if pair not in known] == []
