"""Durations in constant memory: exact where promised, and never further off than documented."""

from __future__ import annotations

import random
from math import ceil

import pytest

from tracediag.overviews.counting.histogram import Histogram, bucket_of, nanoseconds_of


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("0.000005", 5_000), ("3", 3_000_000_000), ("0.000", 0), ("1.5", 1_500_000_000), ("0.000005123", 5_123)],
)
def test_what_strace_writes(text, nanoseconds):
    assert nanoseconds_of(text) == nanoseconds


def test_a_bucket_is_at_most_half_a_percent_off():
    random_ = random.Random(1)
    for _ in range(10_000):
        value = round(10 ** random_.uniform(0, 15))
        assert abs(bucket_of(value) - value) <= 0.005 * value


def test_integral_microseconds_below_a_millisecond_are_exact():
    assert all(bucket_of(value) == value for value in range(0, 1_000_000, 1000))


def test_memory_is_bounded():
    histogram, random_ = Histogram(), random.Random(2)
    for _ in range(50_000):
        histogram.add(round(10 ** random_.uniform(0, 12)))
    assert len(histogram.buckets) <= 900 * 12


def test_percentiles_are_near_the_true_ones():
    random_ = random.Random(3)
    values = [round(random_.lognormvariate(9, 3)) for _ in range(5_000)]
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    values.sort()
    for percent, found in zip((50, 95, 99), histogram.percentiles(50, 95, 99), strict=True):
        true = values[ceil(len(values) * percent / 100) - 1]
        assert abs(found - true) <= 0.005 * true + 1
    assert (histogram.total, histogram.greatest, histogram.count) == (sum(values), values[-1], len(values))


def test_merging_is_adding():
    one, other, both = Histogram(), Histogram(), Histogram()
    for value in range(1, 100_000, 777):
        (one if value % 2 else other).add(value, 3)
        both.add(value, 3)
    one.merge(other)
    assert one == both
    bulk = Histogram()
    bulk.add_all((value, 3) for value in range(1, 100_000, 777))
    assert bulk == both


def test_nothing():
    assert Histogram().percentiles(50, 99) == (0, 0)


def test_never_more_than_the_greatest():
    histogram = Histogram()
    histogram.add(99_999)
    assert histogram.percentiles(50) == (99_999,)
