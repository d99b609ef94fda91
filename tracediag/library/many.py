"""Many traces at a time: each is analysed by a worker of an executor, and the results come in the order of the traces.

A trace that cannot be read, or that ends its worker, costs no other: it is an `Unread`.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing.context import BaseContext
from typing import TypeVar

from tracediag.library.trace import open_trace
from tracediag.ownrules import load_rules
from tracediag.reading import NotUnderstoodError, UnreadableError
from tracediag.results.many import ManyReport, Unread, report_on_many
from tracediag.results.report import Report
from tracediag.rules import find_rules

AnyPath = str | os.PathLike[str]
Folders = AnyPath | Iterable[AnyPath]
Result = TypeVar("Result")
_PR_SET_PDEATHSIG = 1
"""linux/prctl.h."""
LOST = "its worker ended without a result: it was killed, or memory ran out"


def analyze_many(
    traces: Iterable[AnyPath],
    *,
    executor: Executor | None = None,
    select: str | Iterable[str] = (),
    ignore: str | Iterable[str] = (),
    rules: Folders = (),
    strict: bool = False,
    progress: Callable[[Report | Unread], None] | None = None,
) -> ManyReport:
    """Analyse many traces and return what they have in common: each finding once, with how many traces have it.

    Args:
        traces: paths, as each worker sees them; each is what `open_trace` takes.
        executor: runs the analyses, for example `Client(...).get_executor()` of Dask; by default one process for each
            processor of this machine. It is not shut down.
        select: the rules to apply, as for `open_trace`.
        ignore: the rules to leave out.
        rules: folders with rules of one's own, as each worker sees them.
        strict: count a trace as unread if it is damaged or a line is not understood.
        progress: is called with the report on each trace, or with what prevented it, in the order of the traces.

    Raises:
        UnknownRuleError: if `select` or `ignore` names a rule that does not exist.
        RulesFolderError: if a folder of `rules` cannot be read.
    """
    folders = tuple(os.fspath(each) for each in ([rules] if isinstance(rules, str | os.PathLike) else rules))
    select, ignore = _words(select), _words(ignore)
    known = load_rules(folders).rules
    find_rules(select, known), find_rules(ignore, known)
    work = partial(_analyze_one, select=select, ignore=ignore, rules=folders, strict=strict)
    paths = [os.fspath(trace) for trace in traces]
    results = own_workers(work, paths) if executor is None else each_result(executor, work, paths)
    return report_on_many(_watched(results, progress))


def own_workers(
    work: Callable[[str], Result],
    paths: Sequence[str],
    workers: int | None = None,
    context: BaseContext | None = None,
) -> Iterator[Result | Unread]:
    """Yield the result for each path from processes of this machine; one that dies is replaced.

    Args:
        work: is called in a worker; it raises nothing that the trace is to blame for.
        paths: the traces.
        workers: how many processes; by default as many as there are processors.
        context: how they are started; by default as Python does, for which `work` must be a function to pickle.
    """
    workers = min(workers or os.cpu_count() or 1, len(paths))
    if workers < 2:
        yield from map(work, paths)
        return
    with _pool(workers, context) as pool:
        try:
            yield from each_result(pool, work, paths, context)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def each_result(
    executor: Executor, work: Callable[[str], Result], paths: Sequence[str], context: BaseContext | None = None
) -> Iterator[Result | Unread]:
    """Yield the result for each path, in this order.

    The death of one worker breaks a pool of processes, and with it the results of all traces that are not done. Each of
    them is tried once more, in a process of its own, so that only the trace that ends its worker is lost.
    """
    waiting: deque[Future[Result]] = deque()
    with contextlib.suppress(BrokenExecutor):  # the worker of a first trace died before the last one was handed over
        waiting.extend(executor.submit(work, path) for path in paths)
    try:
        for path in paths:
            try:
                yield waiting.popleft().result() if waiting else _alone(work, path, context)
            except BrokenExecutor:
                yield _alone(work, path, context)
            except Exception as error:  # noqa: BLE001 - not of the trace: an executor of another kind lost a worker
                yield _failed(path, error)
    finally:
        for future in waiting:
            future.cancel()


def _alone(work: Callable[[str], Result], path: str, context: BaseContext | None) -> Result | Unread:
    try:
        with _pool(1, context) as pool:
            return pool.submit(work, path).result()
    except BrokenExecutor:
        return Unread(path, LOST)
    except Exception as error:  # noqa: BLE001 - see above
        return _failed(path, error)


def _pool(workers: int, context: BaseContext | None) -> ProcessPoolExecutor:
    """Return a pool whose processes are started, so far as that is done at the first call.

    Signals wait meanwhile: what a handler raises during a fork is lost, because Python reports and drops what is raised
    in its hooks, and a worker that is not yet known as a child would be left behind.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pool = ProcessPoolExecutor(workers, context, partial(_begin, held))
        pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return pool


def _begin(mask: set[int | signal.Signals]) -> None:
    """Begin as a worker: to end by a signal without a word, and to end with its parent, even if that is killed.

    Without PR_SET_PDEATHSIG, prctl(2), it would wait for ever: it holds both ends of the pipe that its work comes from.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)  # it has nothing to remove or to print
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    with contextlib.suppress(AttributeError, OSError):  # not Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)


def _failed(path: str, error: Exception) -> Unread:
    return Unread(path, f"its worker failed: {type(error).__name__}: {error}".splitlines()[0])


def _analyze_one(
    path: str, *, select: tuple[str, ...], ignore: tuple[str, ...], rules: tuple[str, ...], strict: bool
) -> Report | Unread:
    try:
        return open_trace(path, select=select, ignore=ignore, rules=rules, strict=strict).report
    except (UnreadableError, NotUnderstoodError) as error:
        return Unread(path, str(error))
    except Exception as error:  # noqa: BLE001 - of whatever kind: it costs no other trace
        return Unread(path, f"internal error: {type(error).__name__}: {error}".splitlines()[0])


def _words(words: str | Iterable[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _watched(
    results: Iterator[Report | Unread], progress: Callable[[Report | Unread], None] | None
) -> Iterator[Report | Unread]:
    for result in results:
        if progress is not None:
            progress(result)
        yield result
