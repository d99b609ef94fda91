"""What findings call a process."""

from __future__ import annotations

from tracediag.kernel.process import Process


def program_name(program: str | None) -> str | None:
    """Return the file name of a program's path; None where the trace does not show the program."""
    return None if program is None else program.rstrip("/").rpartition("/")[2] or None


def named(program: str | None, pid: int | None) -> str:
    """Return the program with its pid: "nginx (pid 12)", "process 12", "nginx", "the process"."""
    name = program_name(program)
    if name is None:
        return "the process" if pid is None else f"process {pid}"
    return name if pid is None else f"{name} (pid {pid})"


def process_name(process: Process) -> str:
    """Return a process by its program and pid, as `named` does."""
    return named(process.program, process.pid)


def subject(process: Process) -> str:
    """Return the program of a process, or "the process": the subject of a title, where its pid stands nearby."""
    return program_name(process.program) or "the process"
