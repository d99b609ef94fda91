"""docs/mutations.md: what becomes of findings in recordings that are cut, filtered and pasted, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from catalogue import Outcome
from known import REASONS, Fact, row

PAGE = Path(__file__).parents[2] / "docs" / "mutations.md"
_HEAD = """# What is left of a finding in a mutated recording

People cut a trace before they show it, record it with a filter, or paste it out of a log. `benchmarks/mutate.py` does
all of that to every recording of a faulty program in `samples/` and of its repaired twin, and compares what is found
with what was found before. A finding may weaken, in severity or confidence; it must not vanish without a reason, and no
error or warning may come up.

A finding is judged if its primary step is left; with a filter, if its loops and at least half of its steps are; a note
that rests on the start of the program (SIGPIPE has its default action), if an execve is left. *Not checked* are those
of rules that the report names as such, with what the recording lacks. *Renamed* are errors and warnings that report a
lost finding under the name of another rule, at the same step or end. *Raised* are findings that are less severe in the
original, *new* are errors and warnings that the original does not have, for these lines or this descriptor; those that
the report folds under another finding do not count, nor does what says that the calls of the one name left out are
missing, which is true of what is left. Each margin of `tests/reading/margins.py` is put on one in eight recordings.

`tests/mutations/` tries one in 48 of these in each test run, against `tests/mutations/known.tsv`, which names each
difference and its reason. `benchmarks/mutate.py --write` refreshes that table and this page.

## Figures

"""
_REASONS = """
## Why findings are lost, raised or new

"""


def page(everything: Iterable[Outcome], known: Mapping[Fact, str], share: int) -> str:
    """Return the page, with the figures of one in `share` mutants."""
    of = "Of all mutants:\n\n" if share == 1 else f"Of one in {share} mutants:\n\n"
    everything = list(everything)
    return "".join([_HEAD, of, *figures(everything), weakest_margin(everything), _REASONS, *reasons(known)])


def weakest_margin(everything: Iterable[Outcome]) -> str:
    """Return the sentence about the margin that the smallest share of findings survives."""
    judged: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for outcome in everything:
        if outcome.mutation == "margin":
            judged[outcome.detail] += len(outcome.judged_names)
            found[outcome.detail] += outcome.verdict.kept + outcome.verdict.weakened
    shares = {name: found[name] / count for name, count in judged.items() if count}
    name = min(shares, key=lambda name: shares[name])
    return f"\nOf the margins, *{name}* leaves the fewest: {100 * shares[name]:.1f} % of {judged[name]} findings.\n"


def figures(everything: Iterable[Outcome]) -> Iterator[str]:
    """Yield the lines of the table of figures; the margins and the names of calls have one row each in common."""
    sums: dict[str, Counter[str]] = {}
    for outcome in everything:
        verdict = outcome.verdict
        sums.setdefault(outcome.mutation, Counter()).update(
            traces=1,
            judged=len(outcome.judged_names),
            kept=verdict.kept,
            weakened=verdict.weakened,
            unchecked=verdict.unchecked,
            lost=len(verdict.lost),
            renamed=len(verdict.renamed),
            raised=len(verdict.raised),
            new=len(verdict.new),
        )
    yield "| mutation | traces | findings | kept | weakened | not checked | lost | survive | renamed | raised | new |\n"
    yield "|---|---|---|---|---|---|---|---|---|---|---|\n"
    for name, total in sums.items():
        found = total["kept"] + total["weakened"]
        share = f"{100 * found / total['judged']:.1f} %" if total["judged"] else ""
        numbers = (f"{total[column]:,}" for column in ("traces", "judged", "kept", "weakened", "unchecked", "lost"))
        louder = (f"{total[column]:,}" for column in ("renamed", "raised", "new"))
        yield f"| {name} | {' | '.join(numbers)} | {share} | {' | '.join(louder)} |\n"


def reasons(known: Mapping[Fact, str]) -> Iterator[str]:
    """Yield the lines of the table of reasons, with the rules concerned."""
    yield "| reason | lost | raised | new | rules |\n|---|---|---|---|---|\n"
    for word, text in REASONS.items():
        mine = [fact for fact, reason in known.items() if reason == word]
        signs = Counter(fact.sign for fact in mine)
        rules = ", ".join(f"`{rule}`" for rule in sorted({fact.rule for fact in mine}))
        yield f"| *{word}*: {text} | {signs['lost']} | {signs['raised']} | {signs['new']} | {rules} |\n"


def by_margin(everything: Iterable[Outcome]) -> Iterator[Outcome]:
    """Return the outcomes with a row of the table for each margin and each name."""
    return (outcome._replace(mutation=row(outcome)) for outcome in everything)
