"""Durations of calls: count, total, maximum and percentiles, in constant memory.

A duration is rounded to three significant digits, so its bucket is at most 0.5 % away from it, whether it is a
microsecond or an hour; there are 900 buckets per power of ten, and only those in use take memory. Integral
microseconds below a millisecond, which is most of what strace shows, are exact. Total and maximum are exact integers
of nanoseconds, so that the order of the calls does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import ceil

import msgspec

from tracediag.trace.numbers import integer

NANO = 1_000_000_000


@lru_cache(maxsize=1 << 15)
def bucket_of(nanoseconds: int) -> int:
    """Return the number rounded to three significant digits."""
    if nanoseconds < 1000:
        return nanoseconds
    unit: int = 10 ** (len(str(nanoseconds)) - 3)
    return (nanoseconds + unit // 2) // unit * unit


def nanoseconds_of(seconds: str) -> int:
    """Return the nanoseconds of a duration that strace printed: "0.000005", "3"; finer digits are truncated."""
    integral, _, fraction = seconds.partition(".")
    return (integer(integral) or 0) * NANO + (integer(fraction[:9].ljust(9, "0")) or 0)


class Histogram(msgspec.Struct):
    """The durations of some calls, in nanoseconds."""

    count: int = 0
    total: int = 0
    greatest: int = 0
    buckets: dict[int, int] = msgspec.field(default_factory=dict)

    def add(self, nanoseconds: int, count: int = 1) -> None:
        """Add `count` calls of one duration."""
        self.count += count
        self.total += nanoseconds * count
        self.greatest = max(self.greatest, nanoseconds)
        bucket = bucket_of(nanoseconds)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def add_all(self, counted: Iterable[tuple[int, int]]) -> None:
        """Add durations with their counts in one pass, because there can be hundreds of thousands."""
        calls = total = 0
        greatest, buckets = self.greatest, self.buckets
        for nanoseconds, count in counted:
            calls += count
            total += nanoseconds * count
            greatest = max(greatest, nanoseconds)
            bucket = bucket_of(nanoseconds)
            buckets[bucket] = buckets.get(bucket, 0) + count
        self.count += calls
        self.total += total
        self.greatest = greatest

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram."""
        self.count += other.count
        self.total += other.total
        self.greatest = max(self.greatest, other.greatest)
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def percentiles(self, *percents: float) -> tuple[int, ...]:
        """Return the percentiles by nearest rank: for each, the shortest duration that so many calls did not exceed.

        Never more than the maximum; 0 if there are no calls.
        """
        ranks = [max(1, ceil(self.count * percent / 100)) for percent in percents]
        found = [0] * len(ranks)
        passed = 0
        for bucket in sorted(self.buckets):
            before, passed = passed, passed + self.buckets[bucket]
            for place, rank in enumerate(ranks):
                if before < rank <= passed:
                    found[place] = min(bucket, self.greatest)
        return tuple(found)
