"""No finding vanishes without a known reason when a recording is cut, filtered or pasted, and none comes up."""

from __future__ import annotations

from functools import partial

import pytest
from catalogue import Outcome, faulty, is_in_sample, mutants, outcomes, sound
from known import REASONS, Fact, facts, known, row
from page import PAGE, reasons
from survival import judge

SHARE = 48
"""One in so many mutants is tried here, always the same ones; `benchmarks/mutate.py` tries all."""
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_differences_are_known(part: int) -> None:
    expected = known()
    tried = [
        outcome
        for path in [*faulty(), *sound()][part::PARTS]
        for outcome in outcomes(path, partial(is_in_sample, SHARE))
    ]
    seen = {fact for outcome in tried for fact in facts(outcome)}
    assert sorted(seen - expected.keys()) == [], "not known: see docs/mutations.md"
    assert sorted(stale(tried, seen)) == [], "known, but no longer so: run benchmarks/mutate.py --write"


def stale(tried: list[Outcome], seen: set[Fact]) -> set[Fact]:
    """Return the known losses that were tried and did not occur."""
    places = {(row(outcome), outcome.recording, name) for outcome in tried for name in outcome.judged_names}
    lost = (fact for fact in known() if fact.sign == "lost")
    return {fact for fact in lost if (fact.mutation, fact.recording, fact.rule) in places and fact not in seen}


def test_every_known_difference_has_a_reason() -> None:
    assert set(known().values()) <= set(REASONS)


def test_the_known_recordings_exist() -> None:
    recordings = {f"{path.parent.name}/{path.name}" for path in [*faulty(), *sound()]}
    assert {fact.recording for fact in known()} <= recordings


def test_a_loss_is_seen() -> None:
    path = next(path for path in faulty() if path.parent.name == "double-close")
    found, made = mutants(path)
    mutant = next(mutant for mutant in made if mutant.mutation == "-s 0")
    assert judge(mutant, found).kept == len(found) > 0
    assert judge(mutant._replace(lines=mutant.lines[:9]), found).lost == mutant.judged
    assert judge(mutant, ()).new == tuple(each._replace(returned=0) for each in found if each.is_loud)


def test_the_page_gives_the_reasons() -> None:
    assert "".join(reasons(known())) in PAGE.read_text()
