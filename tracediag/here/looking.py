"""From a report to what the host shows about its failed calls."""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Iterator

import msgspec

from tracediag.here.addresses import address_facts
from tracediag.here.calls import Failed, failed_calls
from tracediag.here.directories import directory_at
from tracediag.here.files import attributes, entries, pid_inside, program, users
from tracediag.here.limits import limit_facts, sysctls
from tracediag.here.locks import lock_facts
from tracediag.here.paths import described, mount_of, space, walk
from tracediag.here.processes import process_asked, process_facts
from tracediag.results.here import Here, Look
from tracediag.results.report import Report
from tracediag.rules import UnknownRuleError, find_rule

_MOST = 12
"""Failed calls that are looked at."""
_FULL = frozenset({"ENOSPC", "EDQUOT"})
_LOCKED = frozenset({"EAGAIN", "EACCES", "EDEADLK"})
_LOCKS = frozenset({"flock", "fcntl", "fcntl64"})
_BUSY = frozenset({"EBUSY", "ETXTBSY", "ENOTEMPTY"})


def look_here(report: Report) -> Report:
    """Return the report with what this host shows now about the failed calls of its findings; it only reads."""
    looks = []
    for failed in failed_calls(report.findings):
        looks += list(_looks(failed, report.input.path))
        if len(looks) >= _MOST:
            break
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return msgspec.structs.replace(report, here=Here(host=os.uname().nodename, time=now, looks=tuple(looks[:_MOST])))


def _looks(failed: Failed, trace: str) -> Iterator[Look]:
    named = sysctls(_page(failed.finding.code))
    common = [*limit_facts(failed.call.name, failed.errno, _pid(failed)), *named]
    if failed.address:
        facts = list(address_facts(failed.call.name, failed.errno, failed.address))
        common = [each for each in common if not any(fact.startswith(f"{each}:") for fact in facts)]
        yield _look(failed, failed.address, [*facts, *common])
        return
    if (pid := process_asked(failed.call)) is not None:
        yield _look(failed, f"process {pid}", [*process_facts(pid), *common])
        return
    for path in _absolute(failed, trace):
        yield _look(failed, path, [*_path_facts(failed, path), *common])
        common = []
    if not failed.paths and common:
        yield _look(failed, "", common)


def _absolute(failed: Failed, trace: str) -> Iterator[str]:
    """Yield the paths of a call; a relative one from the directory that an earlier line of its process shows."""
    relative = any(not path.startswith("/") for path in failed.paths)
    base = directory_at(trace, failed.line, _pid(failed)) if relative else ""
    for path in failed.paths:
        yield posixpath.normpath(posixpath.join(base, path)) if base else path


def _page(code: str) -> str:
    """Return the page of a rule; "" for a rule of the user, which is found elsewhere."""
    try:
        return find_rule(code).page()
    except (UnknownRuleError, OSError):
        return ""


def _path_facts(failed: Failed, path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield "a relative path, and the line does not show the directory that it starts from"
        return
    found, errno, call = walk(path), failed.errno, failed.call.name
    yield from found.facts
    yield from described(found)
    if call.startswith("exec"):
        yield from program(found)
    if errno in ("EPERM", "EACCES"):
        yield from attributes(found)
    if errno == "EEXIST":
        yield from pid_inside(found)
    if errno == "ENOTEMPTY":
        yield from entries(found)
    if errno in _BUSY:
        yield from users(found)
    if (call in _LOCKS and (errno in _LOCKED or not errno)) and found.status is not None:
        yield from lock_facts(found.status)
    mount = mount_of(found.real)
    if mount:
        yield f"{found.real} lies on {mount}{_harm(call, mount)}"
    if errno in _FULL:
        yield space(found.real)


def _harm(call: str, mount: str) -> str:
    """Say what the flags of a mount forbid."""
    flags = mount.rpartition(", ")[2].split(",")
    if call.startswith("exec") and "noexec" in flags:
        return ": noexec forbids to execute a file there"
    return ": mounted read-only" if "ro" in flags else ""


def _pid(failed: Failed) -> int | None:
    return failed.finding.primary.pid


def _look(failed: Failed, what: str, facts: list[str]) -> Look:
    return Look(
        finding=failed.finding.fingerprint,
        line=failed.line,
        call=failed.call.name,
        errno=failed.errno,
        object=what,
        facts=tuple(facts),
    )
