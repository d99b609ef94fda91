"""Many traces at a time: the same report from every executor, in the order of the paths; none costs another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tracediag import ManyReport, Report, RulesFolderError, UnknownRuleError, Unread, analyze, analyze_many
from tracediag.library.many import LOST, each_result, own_workers

SAMPLES = Path(__file__).parents[2] / "samples"
TRACES = sorted((SAMPLES / "double-close").glob("*.strace"))
OWN = Path(__file__).parents[1] / "data" / "own_rules" / "good"


@pytest.fixture(scope="module")
def one_by_one() -> ManyReport:
    with ThreadPoolExecutor(1) as executor:
        return analyze_many([*TRACES, SAMPLES / "nothing"], executor=executor)


def test_it_tells_what_the_single_reports_tell(one_by_one: ManyReport) -> None:
    reports = [analyze(path) for path in TRACES]
    assert one_by_one.traces == len(TRACES)
    assert one_by_one.clean == sum(not report.findings for report in reports)
    assert sum(each.traces for each in one_by_one.findings) == sum(
        len({cause.fingerprint for cause in report.causes}) for report in reports
    )
    assert [each.path for each in one_by_one.unread] == [str(SAMPLES / "nothing")]


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_every_executor_gives_the_same(kind: type[Executor], one_by_one: ManyReport) -> None:
    with kind(2) as executor:  # type: ignore[call-arg]
        assert analyze_many([*TRACES, SAMPLES / "nothing"], executor=executor) == one_by_one
    assert analyze_many(map(str, [*TRACES, SAMPLES / "nothing"])) == one_by_one


def test_a_local_cluster_gives_the_same(one_by_one: ManyReport, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    settings = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "local_directory": str(tmp_path)}
    with (
        distributed.LocalCluster(processes=False, **settings) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        assert analyze_many([*TRACES, SAMPLES / "nothing"], executor=executor) == one_by_one


def test_the_reports_come_in_the_order_of_the_paths() -> None:
    seen: list[Report | Unread] = []
    analyze_many(reversed(TRACES), select="TD303", rules=OWN, progress=seen.append)
    assert [each.input.path for each in seen if isinstance(each, Report)] == [str(path) for path in reversed(TRACES)]


def test_the_choice_of_rules_is_checked_before() -> None:
    with pytest.raises(UnknownRuleError):
        analyze_many([], select="nonsense")
    with pytest.raises(RulesFolderError):
        analyze_many([], rules=["nowhere"])
    assert analyze_many([]) == ManyReport(traces=0, clean=0, lines=0, calls=0)


def deadly(path: str) -> str:
    """Return the path, unless it ends its worker or fails."""
    if path == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "fails":
        raise RuntimeError("bad\nluck")
    return path


def test_a_trace_that_ends_its_worker_costs_no_other() -> None:
    paths = ["a", "dies", "b", "fails", "c", "dies", "d"]
    found = list(own_workers(deadly, paths, 2))
    lost, failed = Unread("dies", LOST), Unread("fails", "its worker failed: RuntimeError: bad")
    assert found == ["a", lost, "b", failed, "c", lost, "d"]


def test_who_stops_early_leaves_no_work_behind() -> None:
    with ThreadPoolExecutor(1) as executor:
        results: Iterator[object] = each_result(executor, deadly, ["a", "b"])
        assert next(results) == "a"
        results.close()  # type: ignore[attr-defined]


def test_what_is_returned_can_be_kept_as_a_document(one_by_one: ManyReport) -> None:
    assert msgspec.json.decode(msgspec.json.encode(one_by_one), type=ManyReport) == one_by_one
