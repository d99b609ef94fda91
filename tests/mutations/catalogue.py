"""All mutations, and the recordings that they are applied to."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cuts
import dressed
import filtered
from recorded_lines import SAMPLES, Line, read
from survival import Found, Mutant, Verdict, findings, judge

Mutation = Callable[[Sequence[Line], Collection[Found]], Iterator[Mutant]]
MUTATIONS: tuple[Mutation, ...] = (
    cuts.steps_only,
    cuts.first_step_off,
    cuts.no_clones,
    cuts.no_signals,
    cuts.without_a_name,
    cuts.windows,
    filtered.only_a_class,
    filtered.only_a_status,
    filtered.first_process_only,
    filtered.no_strings,
    dressed.wrapped,
    dressed.in_margins,
)


class Outcome(NamedTuple):
    """One recording, mutated once."""

    recording: str
    mutation: str
    detail: str
    judged_names: tuple[str, ...]
    """The rules of the findings that were still to be made."""
    verdict: Verdict


def faulty() -> list[Path]:
    """Return the recordings of programs that have a fault."""
    served = (path for path in SAMPLES.glob("epollserver/*.strace") if not path.name.startswith("none"))
    return sorted([*SAMPLES.glob("*/bug*.strace"), *served])


def sound() -> list[Path]:
    """Return the recordings of their repaired twins; of those with stacks (`strace -k`), not each line is a record."""
    return sorted(set(SAMPLES.glob("*/*.strace")) - {*faulty(), *SAMPLES.glob("stacks/*.strace")})


def is_in_sample(share: int, recording: str, mutant: Mutant) -> bool:
    """Choose one in `share` mutants, always the same ones."""
    return zlib.crc32(f"{recording} {mutant.label}".encode()) % share == 0


def mutants(path: Path) -> tuple[tuple[Found, ...], Iterator[Mutant]]:
    """Return what is found in a recording, and everything that can be made of the recording."""
    lines = read(path)
    found = findings([(line.number, line.text) for line in lines])
    return found, (mutant for mutate in MUTATIONS for mutant in mutate(lines, found))


def outcomes(path: Path, chosen: Callable[[str, Mutant], bool]) -> list[Outcome]:
    """Judge the chosen mutants of a recording."""
    found, made = mutants(path)
    recording = f"{path.parent.name}/{path.name}"
    return [
        Outcome(
            recording, mutant.mutation, mutant.detail, tuple(each.name for each in mutant.judged), judge(mutant, found)
        )
        for mutant in made
        if chosen(recording, mutant)
    ]
