"""Measures tracediag and its peers on one trace, as ratios to a floor run beside each: `compare.py TRACE [NAME...]`.

Each contestant runs in a process of its own, its standard output discarded; before each the floor runs again, so that
both see the same machine load. The table shows the median ratio of the CPU time and the peak memory. Peers that are not
installed are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

from contestants import CONTESTANTS, PART

HERE = Path(__file__).parent


def measure(name: str, trace: str, python: str) -> tuple[float, int] | None:
    """Run one contestant; return its CPU seconds and its peak memory in KiB, or None if it failed."""
    with subprocess.Popen(
        [python, str(HERE / "contestants.py"), name, trace], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        errors = process.stderr.read() if process.stderr is not None else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        print(f"{name}: {errors.decode(errors='replace').strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def ratio(name: str, trace: str, python: str, rounds: int, scale: float) -> tuple[float, float, int] | None:
    """Return the median ratio to the floor, the median seconds and the peak memory."""
    ratios, seconds, memory = [], [], 0
    for _ in range(rounds):
        unit, own = measure("floor", trace, sys.executable), measure(name, trace, python)
        start = measure("nothing", trace, python)
        if unit is None or own is None or start is None:
            return None
        spent = (own[0] - start[0]) * scale
        ratios.append(spent / unit[0])
        seconds.append(spent)
        memory = max(memory, own[1])
    return statistics.median(ratios), statistics.median(seconds), memory


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace")
    parser.add_argument("names", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=sys.executable, help="a Python that has the peers installed")
    given = parser.parse_args()
    with open(given.trace, "rb") as lines:
        total = sum(1 for _ in lines)
    print(f"{total:,} lines; medians of {given.rounds} rounds\n")
    print("| program | x floor | CPU s | peak MiB |\n|---|---|---|---|")
    for name in given.names:
        python = given.peers if name in ("stracetools", "strace_process_tree") else sys.executable
        scale = max(1.0, total / PART[name]) if name in PART else 1.0
        found = ratio(name, given.trace, python, given.rounds, scale)
        if found is not None:
            note = f" (from {PART[name]:,} lines)" if scale > 1 else ""
            print(f"| {name}{note} | {found[0]:.2f} | {found[1]:.2f} | {found[2] / 1024:.0f} |", flush=True)


if __name__ == "__main__":
    main()
