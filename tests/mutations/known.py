"""The findings that a mutation is known to lose, raise or bring up, each with the reason.

`known.tsv` has a row for each mutation and rule, with the recordings concerned; `benchmarks/mutate.py --write`
refreshes the rows, and gives a new one the reason "?", which no test accepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from catalogue import Outcome
from survival import WITHOUT

TABLE = Path(__file__).with_name("known.tsv")
UNEXPLAINED = "?"
REASONS = {
    "clone": "Without the clone nothing shows that two pids are threads of one process, or parent and child.",
    "clock": "By the clock of the margin, seven lines a second, a loop is too slow to be a spin, or a wait is short.",
    "cut": "The lines that prove it lie outside the cut.",
    "end": "The whole recording shows that the program carries on or exits with status 0; what is left does not.",
    "filter": "The calls that prove it, or that would disprove it, are not recorded.",
    "first": "The first step is what makes it a fault: the same lines are normal without it.",
    "harmless": "A note that nothing has gone wrong so far: it rests on the start of the program.",
    "open": "A gap that is still to be mended.",
    "other": "Another rule reports the same fault, as far as what is left shows it.",
    "path": "Neither the opening nor an annotation is left that connects the descriptor with the path.",
    "signal": "The signal line is the proof.",
    "text": "The text of the message or of the data is the proof, and is not shown.",
    "turns": "Too few turns, descriptors or processes are left to show that they repeat.",
}
"""By the word that `known.tsv` uses."""


class Fact(NamedTuple):
    """One difference between what is found in a mutant and in the original."""

    sign: str
    """lost, raised or new."""
    mutation: str
    rule: str
    recording: str


def facts(outcome: Outcome) -> set[Fact]:
    """Return how the findings in a mutant differ from those in the original."""
    verdict = outcome.verdict
    signed = (("lost", verdict.lost), ("raised", verdict.raised), ("new", verdict.new))
    return {Fact(sign, row(outcome), each.name, outcome.recording) for sign, some in signed for each in some}


def row(outcome: Outcome) -> str:
    """Return the name under which a mutation is listed: with its detail, unless that is the finding it is made for."""
    by_detail = outcome.mutation in ("margin", WITHOUT)
    return f"{outcome.mutation}: {outcome.detail}" if by_detail else outcome.mutation


def known() -> dict[Fact, str]:
    """Return the known differences, each with the word for its reason."""
    rows = (line.split("\t") for line in TABLE.read_text().splitlines()[1:])
    return {
        Fact(sign, mutation, rule, recording): reason
        for sign, mutation, rule, reason, recordings in rows
        for recording in recordings.split()
    }


def written(seen: Iterable[Fact], reasons: dict[Fact, str]) -> Iterator[str]:
    """Yield the lines of the table for these differences; a reason that was given for the row before is kept."""
    by_row = {(fact.sign, fact.mutation, fact.rule): reason for fact, reason in reasons.items()}
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for fact in sorted(seen):
        place = fact[:3]
        reason = reasons.get(fact) or by_row.get(place, UNEXPLAINED)
        rows.setdefault((*place, reason), []).append(fact.recording)
    yield "sign\tmutation\trule\treason\trecordings\n"
    for fields, recordings in rows.items():
        yield "\t".join((*fields, " ".join(recordings))) + "\n"
