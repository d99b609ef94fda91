"""How many findings keep their fingerprint in another recording of the same program.

    python benchmarks/fingerprints.py                # each sample with its recording by `strace -f` alone
    python benchmarks/fingerprints.py FOLDER         # each sample with the trace of the same name below FOLDER

For the second, copy samples/ and run `sh record.sh` in each folder of the copy, with other options of strace if you
like (`-s 64`). A finding counts if both recordings have one of its rule; each difference is printed with the shape of
both chains. The share should be 98 % or more.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tracediag import Finding, TracediagError, analyze
from tracediag.results.fingerprint import shapes

SAMPLES = Path(__file__).parents[1] / "samples"
Pair = tuple[Path, Path]


def twins() -> Iterator[Pair]:
    """Yield each sample that was recorded in two forms."""
    for short in sorted(SAMPLES.glob("*/*.f.strace")):
        if (full := short.with_name(short.name.replace(".f.", "."))).is_file():
            yield full, short


def recorded_again(folder: Path) -> Iterator[Pair]:
    """Yield each sample of which the folder has another recording."""
    for again in sorted(folder.glob("*/*.strace")):
        if (first := SAMPLES / again.relative_to(folder)).is_file():
            yield first, again


def found_in(path: Path) -> dict[str, dict[str, Finding]]:
    """Return the findings of a trace by rule and fingerprint; none if it cannot be read."""
    found: dict[str, dict[str, Finding]] = defaultdict(dict)
    try:
        for finding in analyze(path).findings:
            found[finding.name][finding.fingerprint] = finding
    except TracediagError:
        return {}
    return found


def main() -> None:
    """Print the share, and the differences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="other recordings of the samples")
    folder = parser.parse_args().folder
    same = total = 0
    for first, second in twins() if folder is None else recorded_again(folder):
        one, other = found_in(first), found_in(second)
        for name in sorted(one.keys() & other.keys()):
            kept = one[name].keys() & other[name].keys()
            count = max(len(one[name]), len(other[name]))
            same, total = same + len(kept), total + count
            if len(kept) < count:
                print(f"{first.relative_to(SAMPLES)}: {name}")
                for side, findings in (("A", one[name]), ("B", other[name])):
                    for lost in findings.keys() - kept:
                        steps = ((step.text, step.note) for step in findings[lost].steps)
                        print(f"    {side}  {' | '.join(sorted(shapes(steps)))}")
    print(f"{same} of {total}: {same / total if total else 0:.1%}")


if __name__ == "__main__":
    main()
