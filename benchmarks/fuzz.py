"""Runs the complete analysis on damaged input: `fuzz.py [COUNT] [SEED]`. No exception, no lost line, no slow line.

Inputs are lines of the recorded samples, cut, doubled, spliced and with bytes changed; random bytes; and tokens of the
language in random order. Some lines are half a megabyte of one repeated token.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tracediag.analysis import Analysis
from tracediag.reading import Reader

SAMPLES = Path(__file__).parents[1] / "samples"
WORDS = """( ) [ ] { } < > " ' \\ , = | ~ + - * / & ! ? @ ; : . \0 \x1b[31m ... => -> /* */ NULL 3 -1 0x7f \udcff \u00e9
<0.1> 17 read( write(5, epoll_wait( "a\\"b"... <TCP:[1.2.3.4:5->6.7.8.9:1]> {events=EPOLLIN,data=0x3} [pid --- +++"""
MARKS = (
    "<unfinished ...>",
    ") = -1 ENOENT (No)",
    ") = ?",
    "<... read resumed>",
    "+++ exited with 0 +++",
    "--- SIGPIPE {} ---",
)
TOKENS = (*WORDS.split(), *MARKS)
BATCH = 200
LONG = 1 << 19
SLOW = 1.0
"""Seconds that no line may take, however long it is."""


def lines_of_samples() -> list[str]:
    """Return the lines to be damaged."""
    return [
        line for path in sorted(SAMPLES.glob("*/*.strace")) for line in path.read_text(errors="replace").splitlines()
    ]


def damaged(rng: random.Random, lines: list[str]) -> str:
    """Return one input."""
    kind = rng.random()
    if kind < 0.15:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(120))).decode("utf-8", "surrogateescape")
    if kind < 0.35:
        return "".join(rng.choice(("", " ")) + rng.choice(TOKENS) for _ in range(rng.randrange(40)))
    line = rng.choice(lines)
    for _ in range(rng.randrange(1, 4)):
        line = mutated(rng, line, lines)
    return line


def mutated(rng: random.Random, line: str, lines: list[str]) -> str:
    """Damage a line once."""
    at, to = sorted((rng.randrange(len(line) + 1), rng.randrange(len(line) + 1)))
    return rng.choice(
        (
            line[:at] + line[to:],
            line[:to] + line[at:],
            line[:at] + rng.choice(TOKENS) + line[at:],
            line[:at] + rng.choice(lines)[at:],
            line[:at] + chr(rng.randrange(1, 300)) + line[at + 1 :],
        )
    )


def batches(count: int, rng: random.Random) -> Iterator[list[str]]:
    """Yield the inputs in traces of some hundred lines; each has one very long line."""
    lines = lines_of_samples()
    for _ in range(0, count, BATCH):
        batch = [damaged(rng, lines).replace("\n", " ").replace("\r", " ") for _ in range(BATCH)]
        token = rng.choice(TOKENS)
        batch[rng.randrange(BATCH)] = token * (LONG // max(len(token), 1)) if rng.random() < 0.05 else batch[0]
        yield batch


def main() -> None:
    """Run, and print how much was tried."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    slowest = 0.0
    for number, batch in enumerate(batches(count, rng)):
        start = time.process_time()
        reader = Reader([f"{line}\n" for line in batch])
        for _ in reader:
            pass
        assert reader.counts.lines == sum(reader.counts.kinds.values()) == len(batch), batch
        analysis = Analysis([f"{line}\n" for line in batch])
        for _ in analysis:
            pass
        assert analysis.report().input.lines == len(batch)
        spent = time.process_time() - start
        if number:  # the first also builds the parser
            slowest = max(slowest, spent)
    print(f"{count:,} lines, no exception, every line accounted for; slowest {BATCH} lines: {slowest:.2f} s")
    assert slowest < SLOW * 2, "two analyses of a batch with one long line"


if __name__ == "__main__":
    main()
