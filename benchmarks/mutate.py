"""What becomes of the findings of the samples when their recordings are cut, filtered and pasted.

    .venv/bin/python benchmarks/mutate.py [--only MUTATION] [--rule RULE] [--list] [--write]

Prints a Markdown table: for each mutation, how many findings were still to be made, and how many were kept as they
were, weakened, or lost; and how many errors and warnings are less in the original
(raised) or not there at all (new). `--list` names each that is lost, raised or new;
`--write` puts the table into docs/mutations.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from functools import partial
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "mutations"), str(ROOT / "tests" / "reading")]

from catalogue import Outcome, faulty, is_in_sample, outcomes, sound  # noqa: E402
from survival import Mutant  # noqa: E402


def main() -> None:
    """Mutate all, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only mutations with one of these (comma-separated) in their name")
    parser.add_argument("--rule", default="", help="of lost and new findings, list those of this rule")
    parser.add_argument("--recording", default="", help="only recordings with this in their path")
    parser.add_argument("--share", type=int, default=1, help="only one in so many mutants, always the same ones")
    parser.add_argument("--list", action="store_true", help="name each finding that is lost, raised or new")
    options = parser.parse_args()
    paths = [path for path in [*faulty(), *sound()] if options.recording in str(path)]
    with Pool(2) as pool:
        found = pool.imap(partial(outcomes, chosen=partial(_chosen, options.only, options.share)), paths, chunksize=4)
        everything = [outcome for outcomes_of_one in found for outcome in outcomes_of_one]
    sys.stdout.writelines(table(everything))
    if options.list:
        sys.stdout.writelines(sorted(_listed(everything, options.rule)))


def _chosen(only: str, share: int, recording: str, mutant: Mutant) -> bool:
    return any(part in mutant.label for part in only.split(",")) and is_in_sample(share, recording, mutant)


def table(everything: Iterable[Outcome]) -> Iterable[str]:
    """Yield the lines of the table."""
    sums: dict[str, Counter[str]] = {}
    for outcome in everything:
        sums.setdefault(_row(outcome), Counter()).update(
            traces=1,
            judged=outcome.judged,
            kept=outcome.verdict.kept,
            weakened=outcome.verdict.weakened,
            lost=len(outcome.verdict.lost),
            raised=len(outcome.verdict.raised),
            new=len(outcome.verdict.new),
        )
    yield "| mutation | traces | findings | kept | weakened | lost | survive | raised | new |\n"
    yield "|---|---|---|---|---|---|---|---|---|\n"
    for row, sum_ in sorted(sums.items()):
        share = f"{100 * (sum_['judged'] - sum_['lost']) / sum_['judged']:.1f} %" if sum_["judged"] else ""
        numbers = (f"{sum_[name]:,}" for name in ("traces", "judged", "kept", "weakened", "lost"))
        yield f"| {row} | {' | '.join(numbers)} | {share} | {sum_['raised']} | {sum_['new']} |\n"


def _row(outcome: Outcome) -> str:
    """Return the row of the table: each margin has one of its own, each call's name has not."""
    by_detail = outcome.mutation == "margin"
    return f"{outcome.mutation}: {outcome.detail}" if by_detail else outcome.mutation


def _listed(everything: Iterable[Outcome], rule: str) -> Iterable[str]:
    for outcome in everything:
        verdict = outcome.verdict
        for sign, some in (("lost", verdict.lost), ("raised", verdict.raised), ("new", verdict.new)):
            for each in some:
                if rule in each.name:
                    grade = "nwe"[each.severity] + "plc"[each.confidence]
                    where = f"{outcome.mutation}: {outcome.detail}\t{outcome.recording}:{each.primary}"
                    yield f"{sign}\t{each.name}\t{grade}\t{where}\t{each.title}\n"


if __name__ == "__main__":
    main()
