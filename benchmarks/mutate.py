"""What becomes of the findings of the samples when their recordings are cut, filtered and pasted.

    .venv/bin/python benchmarks/mutate.py [--only MUTATION,...] [--recording PART] [--rule RULE] [--list] [--write]

Prints a Markdown table: for each mutation, how many findings were still to be made, and how many of them were kept as
they were, weakened, or lost; and how many errors and warnings are less in the original (raised) or not there at all
(new). `--list` names each that is lost, raised or new; `--write` refreshes tests/mutations/known.tsv and
docs/mutations.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from functools import partial
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "mutations"), str(ROOT / "tests" / "reading")]

from catalogue import Outcome, faulty, is_in_sample, outcomes, sound  # noqa: E402
from known import TABLE, facts, known, row, written  # noqa: E402
from page import PAGE, by_margin, figures, page  # noqa: E402
from survival import Mutant  # noqa: E402


def main() -> None:
    """Mutate all, and print."""
    options = _parser().parse_args()
    paths = [path for path in [*faulty(), *sound()] if options.recording in str(path)]
    with Pool(2) as pool:
        found = pool.imap(partial(outcomes, chosen=partial(_chosen, options.only, options.share)), paths, chunksize=4)
        everything = [outcome for outcomes_of_one in found for outcome in outcomes_of_one]
    sys.stdout.writelines(figures(by_margin(everything) if options.only else everything))
    if options.list:
        sys.stdout.writelines(sorted(_listed(everything, options.rule)))
    if options.write:
        seen = {fact for outcome in everything for fact in facts(outcome)}
        TABLE.write_text("".join(written(seen, known())))
        PAGE.write_text(page(everything, known(), options.share))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only mutations with one of these (comma-separated) in their name")
    parser.add_argument("--recording", default="", help="only recordings with this in their path")
    parser.add_argument("--share", type=int, default=1, help="only one in so many mutants, always the same ones")
    parser.add_argument("--rule", default="", help="list only findings of rules with this in their name")
    parser.add_argument("--list", action="store_true", help="name each finding that is lost, raised or new")
    parser.add_argument("--write", action="store_true", help="refresh the table of known differences and the page")
    return parser


def _chosen(only: str, share: int, recording: str, mutant: Mutant) -> bool:
    return any(part in mutant.label for part in only.split(",")) and is_in_sample(share, recording, mutant)


def _listed(everything: Iterable[Outcome], rule: str) -> Iterable[str]:
    for outcome in everything:
        verdict = outcome.verdict
        for sign, some in (("lost", verdict.lost), ("raised", verdict.raised), ("new", verdict.new)):
            for each in some:
                if rule in each.name:
                    grade = "nwe"[each.severity] + "plc"[each.confidence]
                    where = f"{row(outcome)}\t{outcome.recording}:{each.primary}"
                    yield f"{sign}\t{each.name}\t{grade}\t{where}\t{each.title}\n"


if __name__ == "__main__":
    main()
