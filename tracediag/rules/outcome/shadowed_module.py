"""TD007: Python, Perl or Ruby imports a file of the program in place of a library's module with the same name."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator

import msgspec

from tracediag.evidence.cases import Cases
from tracediag.evidence.complaints import Complaint, report_step, said_by
from tracediag.evidence.exits import end_step, failed_end, manner
from tracediag.evidence.names import process_name
from tracediag.kernel import Action
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.results.findings import Confidence, Finding, Severity, step
from tracediag.rules.base import Rule, on_call, on_process_end
from tracediag.rules.outcome._script_libraries import Taken, taken_for
from tracediag.trace.calls import OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.patterns import lazy_pattern
from tracediag.trace.records import Message

_INSTALLED = frozenset(
    {
        "aiohttp",
        "attr",
        "boto3",
        "bs4",
        "celery",
        "click",
        "cv2",
        "discord",
        "django",
        "docker",
        "fastapi",
        "flask",
        "git",
        "httpx",
        "jinja2",
        "jwt",
        "matplotlib",
        "numpy",
        "openai",
        "pandas",
        "paramiko",
        "PIL",
        "psutil",
        "psycopg2",
        "pydantic",
        "pymongo",
        "pytest",
        "redis",
        "requests",
        "scipy",
        "selenium",
        "serial",
        "sklearn",
        "sqlalchemy",
        "telegram",
        "tensorflow",
        "torch",
        "usb",
        "websocket",
        "yaml",
    }
)
"""Libraries with a name that a program's own file has often."""
_LIBRARY = lazy_pattern(r"/lib(?:64|32)?/(?:python|pypy)|/(?:site|dist)-packages/|/python[0-9][0-9.]*+/|/Lib/")
_SAID = lazy_pattern(
    r"module '(\w++)[\w.]*+' has no attribute|AttributeError: module '(\w++)'|No module named '(\w++)\."
    r"|cannot import name '[^'\n]{0,200}+' from (?>partially initialized module )?+'(\w++)"
)
_CUT = lazy_pattern(r"\b(?:AttributeError|ImportError|ModuleNotFoundError): ")
_MOST = 64


class _Import(msgspec.Struct, frozen=True):
    """An open of a file of the program with the name of a library's module."""

    call: Syscall
    path: str


class _Program(msgspec.Struct, eq=False):
    """The files that a Python program has imported from its own folder."""

    folder: str
    """Where its first file lies: the first place that modules are searched in."""
    executed: Syscall | None
    """The execve that started it."""
    imports: dict[str, _Import] = msgspec.field(default_factory=dict)


class ShadowedModule(Rule):
    """A file of the program has the name of a library's module, is found first, and lacks what the program needs."""

    code = "TD007"
    name = "shadowed-module"
    severity = Severity.ERROR
    summary = "a file of the program is imported in place of a library's module of the same name (Python, Perl, Ruby)"
    raised_by = (OPENS,)

    def __init__(self) -> None:
        self._programs: Cases[Process, _Program] = Cases(512)
        self._scripts: Cases[Process, list[Taken]] = Cases(512)

    @on_call("open", "openat", showing=('.py", O_RDONLY', '.pyc", O_RDONLY'))
    def opened(self, action: Action) -> None:
        """Note the files of a program in Python that have the name of a library's module."""
        call = action.call
        if call.errno is not None or "/lib/python" in call.body or _LIBRARY.search(call.body) is not None:
            return
        path = call.path(0 if call.name == "open" else 1)
        module = None if path is None or not call.has("O_RDONLY") else _module(path)
        if path is None or module is None:
            return
        program = self._programs.get(action.process)
        if program is None or program.executed is not action.process.executed:
            program = self._programs[action.process] = _Program(module[0], action.process.executed)
        if module[0] == program.folder and _is_library(module[1]) and len(program.imports) < _MOST:
            program.imports[module[1]] = _Import(call, path)

    @on_call("open", "openat", showing=('.pm", O_RDONLY', '.rb", O_RDONLY'))
    def required(self, action: Action) -> None:
        """Note the files of a program in Perl or Ruby that have the name of a library's module."""
        call = action.call
        path = None if call.errno is not None else call.path(0 if call.name == "open" else 1)
        found = None if path is None else taken_for(call, path)
        if found is None:
            return
        taken = self._scripts.setdefault(action.process, [])
        if len(taken) < _MOST and all(known.path != found.path for known in taken):
            taken.append(found)

    @on_process_end
    def failed(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge what a failed program in Perl or Ruby has said after it took such a file."""
        taken = self._scripts.pop(end.process, [])
        if not taken or failed_end(end.process) is None:
            return
        for message in reversed(said_by(end.process, taken[0].call.line).messages):
            for each in reversed(taken):
                named = each.is_named(message.text)
                if named or (named is None and len(taken) == 1):
                    said = (one.call for one in message.pieces if each.word in one.text)
                    yield self._of_script(end, each, next(said, message.last), named=bool(named))
                    return

    def _of_script(self, end: ProcessEnd, taken: Taken, words: Message | None, *, named: bool) -> Finding:
        exit_ = failed_end(end.process)
        steps = [step(taken.call, f"{taken.path} is taken as {taken.module}", primary=True)]
        if words is not None:
            steps.append(report_step(words))
        if exit_ is not None:
            steps.append(end_step(exit_))
        return self.finding(
            steps,
            object=taken.path,
            title=f"{taken.path} is taken in place of {taken.module} of {taken.library.language}'s library:"
            f" {process_name(end.process)} {'fails' if exit_ is None else manner(exit_)}",
            confidence=Confidence.LIKELY if named else Confidence.POSSIBLE,
            why=taken.library.why,
            fix=taken.fix,
        )

    @on_process_end
    def ended(self, end: ProcessEnd) -> Iterator[Finding]:
        """Judge what a failed program has said after its imports."""
        program = self._programs.pop(end.process, None)
        if program is None or not program.imports or failed_end(end.process) is None:
            return
        first = min(found.call.line for found in program.imports.values())
        said = said_by(end.process, first)
        name, words = _blamed(said)
        if name is not None and name in program.imports:
            yield self._finding(end, name, program.imports[name], words)
        elif name is None and words is not None and (last := _last_standard(program)) is not None:
            yield self._finding(end, last, program.imports[last], words, cut=True)

    def _finding(
        self, end: ProcessEnd, name: str, found: _Import, words: Message | None, *, cut: bool = False
    ) -> Finding:
        standard, exit_ = name in sys.stdlib_module_names, failed_end(end.process)
        steps = [step(found.call, f"{found.path} is imported as the module {name}", primary=True)]
        if words is not None:
            steps.append(report_step(words))
        if exit_ is not None:
            steps.append(end_step(exit_))
        library = "of the standard library" if standard else "that pip installs"
        sure = Confidence.CERTAIN if standard else Confidence.LIKELY
        return self.finding(
            steps,
            object=found.path,
            title=f"{found.path} is imported in place of the module {name} {library}:"
            f" {process_name(end.process)} {'fails' if exit_ is None else manner(exit_)}",
            confidence=Confidence.POSSIBLE if cut else sure,
            why="sys.path has the folder of the script before the library of Python, also for imports that other"
            f" modules of the library make: all that import {name} get this file; python3(1)",
            fix=f"rename {found.path} and remove its file in __pycache__; or run python3 -P (3.11), which leaves the"
            " folder of the script out of sys.path",
        )


def _module(path: str) -> tuple[str, str] | None:
    """Return the folder and the name of the module that a file is; None of any other file."""
    folder, _, file = path.rpartition("/")
    name, _, suffix = file.partition(".")
    if suffix.endswith("pyc") and posixpath.basename(folder) == "__pycache__":
        folder = posixpath.dirname(folder)
    elif suffix != "py":
        return None
    if name == "__init__":
        folder, _, name = folder.rpartition("/")
    return folder, name


def _is_library(name: str) -> bool:
    return name in sys.stdlib_module_names or name in _INSTALLED


def _blamed(said: Complaint) -> tuple[str | None, Message | None]:
    """Return the module that the last message is about, and the write; no name where strace has cut it off."""
    for message in reversed(said.messages):
        names = _SAID.findall(message.text)
        if names:
            name = next(filter(None, names[-1]))
            naming = (piece.call for piece in reversed(message.pieces) if name in piece.text)
            return name, next(naming, message.last)
        cut = (piece.call for piece in message.pieces if piece.shortened and _CUT.search(piece.text) is not None)
        if (call := next(cut, None)) is not None:
            return None, call
    return None, None


def _last_standard(program: _Program) -> str | None:
    """Return the module of the standard library that was imported last from the folder of the program."""
    return next((name for name in reversed(program.imports) if name in sys.stdlib_module_names), None)
