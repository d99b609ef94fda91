"""What can be recorded on this host: each thing is tried, and what fails is told with its remedy.

Why ptrace(2) is refused is read from /proc: "Ptrace access mode checking" in ptrace(2), seccomp(2), capabilities(7).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time

from tracediag.here.refusals import may_trace_others, refusal
from tracediag.here.symbols import MISSING, REMEDY, find_tool
from tracediag.recording import RecordingError, Strace, find_strace
from tracediag.recording.proc.texts import text
from tracediag.results.abilities import Ability, Doctor
from tracediag.trace.quantities import size

_PATIENCE = 10.0
"""Seconds in which strace must trace `true`, or attach to a process that sleeps."""
_ROOM = 100 * 1024 * 1024
"""Bytes below which a temporary folder is called full: a minute of a busy server is as much."""


def examine(folder: str | None = None) -> Doctor:
    """Try what `run` needs.

    Args:
        folder: where temporary files are made; None for the folder that `run` uses.
    """
    try:
        strace = find_strace()
    except RecordingError as error:
        said, _, remedy = str(error).partition("; ")
        missing = Ability(name="strace", works=False, what="strace", said=said, remedy=remedy or "install strace again")
        return Doctor(abilities=(missing, _folder(folder)))
    found = Ability(name="strace", works=True, what="strace", said=f"{strace.label}, {strace.path}")
    command = _command(strace)
    attach = (_attach(strace), _others()) if command.works else ()
    return Doctor(abilities=(found, command, *attach, _stacks(strace), _symbols(), _folder(folder)))


def _command(strace: Strace) -> Ability:
    """Trace `true`."""
    what = "record a command: tracediag run -- COMMAND"
    done = _run([strace.path, *strace.options, "-o", "/dev/stdout", "true"])
    if done is None:
        return _not("command", what, f"strace does not end within {_PATIENCE:g} s", "end what traces tracediag itself")
    if "+++ exited with 0 +++" in done.stdout:
        return Ability(name="command", works=True, what=what)
    first = done.stderr.strip().partition("\n")[0] or f"strace exits with {done.returncode}"
    why, remedy = refusal(attaching=False)
    return _not("command", what, f"{why}: {first}" if why else first, remedy)


def _attach(strace: Strace) -> Ability:
    """Attach to a process that sleeps."""
    what = "attach to a process of this user: tracediag run -p PID"
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as sleeper:
        try:
            said = _attached(strace, sleeper.pid)
        finally:
            sleeper.kill()
    if said is None:
        return Ability(name="attach", works=True, what=what)
    why, remedy = refusal(attaching=True)
    return _not("attach", what, f"{why}: {said}" if why else said, remedy)


def _attached(strace: Strace, pid: int) -> str | None:
    """Return what strace says if it cannot attach to a process; None if it can."""
    command = [strace.path, "-q", "-o", "/dev/null", "-p", str(pid)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit and tracer.poll() is None:
        if f"\nTracerPid:\t{tracer.pid}\n" in text(f"/proc/{pid}/status"):
            tracer.terminate()
            tracer.communicate()
            return None
        time.sleep(0.005)
    tracer.kill()
    return tracer.communicate()[1].strip().partition("\n")[0] or f"strace does not attach within {_PATIENCE:g} s"


def _others() -> Ability:
    """Tell whether processes of other users can be traced: only CAP_SYS_PTRACE permits it, ptrace(2)."""
    what = "attach to processes of other users, and name who holds what they wait for"
    if may_trace_others():
        return Ability(name="others", works=True, what=what)
    if os.geteuid() == 0:
        return _not("others", what, "root lacks CAP_SYS_PTRACE here", "docker run --cap-add=SYS_PTRACE")
    return _not("others", what, "this user lacks CAP_SYS_PTRACE", "run tracediag with sudo")


def _stacks(strace: Strace) -> Ability:
    """Tell whether this strace was built with stack traces; `strace -V` names it, strace(1)."""
    what = "stack traces: strace -k"
    done = _run([strace.path, "-V"])
    if done is not None and "stack-trace=" in done.stdout:
        return Ability(name="stacks", works=True, what=what)
    return _not("stacks", what, "this strace was built without them", "install one built with libunwind or libdw")


def _symbols() -> Ability:
    """Tell whether the lines of source code of stacks can be found."""
    what = "source lines of stacks: --symbols"
    tool = find_tool()
    if tool is None:
        return _not("symbols", what, MISSING, REMEDY)
    return Ability(name="symbols", works=True, what=what, said=tool)


def _folder(folder: str | None) -> Ability:
    """Try the folder for temporary files."""
    place = folder or tempfile.gettempdir()
    what = f"room for the trace: {place}"
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
    except OSError as error:
        return _not("folder", what, f"{error.strerror}", "set TMPDIR to a folder with room, or use --keep")
    room = shutil.disk_usage(place).free
    if room < _ROOM:
        return _not("folder", what, f"{size(room)} free", "set TMPDIR to a folder with room, or use --keep")
    return Ability(name="folder", works=True, what=what)


def _not(name: str, what: str, said: str, remedy: str) -> Ability:
    return Ability(name=name, works=False, what=what, said=said, remedy=remedy)


def _run(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    """Return how a command ended; None if it did not within the patience."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
