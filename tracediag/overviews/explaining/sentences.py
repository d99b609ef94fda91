"""What a call does, in one sentence: `pid 12 (nginx) fails to send 997 bytes on fd 9 (TCP ...)`.

The phrases are in `sentences.txt`; here are those that depend on flags and operations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tracediag.kernel.descriptor import Descriptor
from tracediag.kernel.process import Process
from tracediag.kernel.socket import format_address
from tracediag.overviews.descriptors import what_of
from tracediag.overviews.explaining.arguments import argument_texts
from tracediag.overviews.touching import DESCRIPTORS
from tracediag.trace.calls import EPOLL_CTLS, EPOLL_WAITS, FORKS, FUTEXES, MAPS, OPENS
from tracediag.trace.events import Syscall
from tracediag.trace.parameters import position
from tracediag.trace.values import names_of, text_of

_ADDRESSES = frozenset({"addr", "dest_addr", "uservaddr"})
_LONGEST = 80
"""Characters of an argument in a sentence."""
_ACCESS = {"O_WRONLY": "for writing", "O_RDWR": "for reading and writing"}
_OPENING = {"O_CREAT": "creating it if it is missing", "O_TRUNC": "emptying it", "O_APPEND": "to append"}

_ATTEMPTS = {"EINPROGRESS": "starts", "EAGAIN": "tries", "EINTR": "is interrupted when it tries"}
"""The verb for a call that did not succeed, where "fails" is too strong."""


@cache
def _phrases() -> dict[str, str]:
    found = {}
    for line in Path(__file__).with_name("sentences.txt").read_text(encoding="ascii").splitlines():
        calls, colon, phrase = line.partition(": ")
        if colon and not line.startswith("#"):
            found.update(dict.fromkeys(calls.split(), phrase))
    return found


def sentence(call: Syscall, process: Process, who: str) -> str:
    """Return what a call does; `who` is its subject. Read it before the model applies the call."""
    special = next((make for names, make in _SPECIAL if call.name in names), None)
    phrase = _phrases().get(call.name)
    if special is not None:
        made = special(call, process)
    elif phrase is not None:
        made = _filled(phrase, call, process)
    else:
        made = f"call {call.name}"
    verb, space, rest = made.partition(" ")
    if not call.returned:
        return f"{who} is inside {call.name}, to {made}"
    if call.errno is not None:
        return f"{who} {_ATTEMPTS.get(call.errno, 'fails')} to {made}"
    return f"{who} {_third_person(verb)}{space}{rest}"


def _third_person(verb: str) -> str:
    if verb.endswith(("sh", "ch", "ss", "x", "o")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}s"


def _filled(phrase: str, call: Syscall, process: Process) -> str:
    """Return the phrase with its parameters; one that the trace does not show is left out with its clause."""
    texts, made = argument_texts(call), ""
    for number, piece in enumerate(phrase.split("{")):
        name, brace, rest = piece.partition("}")
        made += piece if not number or not brace else _argument(name, call, process, texts) + rest
    return made


def _argument(name: str, call: Syscall, process: Process, texts: list[str]) -> str:
    place = position(call.name, call.body, len(call.args), name)
    if place is None or place >= len(texts):
        return "?"
    if name in DESCRIPTORS:
        return named(call, process, place)
    if name in _ADDRESSES and (address := format_address(call.arg(place))) is not None:
        return address
    text = texts[place]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def named(call: Syscall, process: Process, place: int) -> str:
    """Return a descriptor argument with what it refers to: `fd 3 (/etc/hosts)`."""
    number = call.number(place)
    if number is None or number < 0:
        return "no descriptor" if number == -1 else "a descriptor"
    held = held_by(process, number)
    what = None if held is None else what_of(held.file, process)
    return f"fd {number} ({what})" if what else f"fd {number}"


def held_by(process: Process, number: int) -> Descriptor | None:
    """Return the open descriptor with that number."""
    return process.table.get(number)


def _open(call: Syscall, process: Process) -> str:
    flags = names_of(call.arg("flags"))
    if call.name == "creat":
        flags = frozenset({"O_WRONLY", "O_CREAT", "O_TRUNC"})
    mode = next((words for flag, words in _ACCESS.items() if flag in flags), "for reading")
    if "O_DIRECTORY" in flags:
        mode = "as a directory"
    words = [mode, *(word for flag, word in _OPENING.items() if flag in flags)]
    if "O_EXCL" in flags and "O_CREAT" in flags:
        words[1] = "creating it, which must not exist"
    return f"open {_argument('path', call, process, argument_texts(call))} {', '.join(words)}"


def _map(call: Syscall, process: Process) -> str:
    flags, length = names_of(call.arg("flags")), call.number("length")
    size = f"{length or 0:,} bytes"
    if flags & {"MAP_ANONYMOUS", "MAP_ANON"}:
        return f"map {size} of {'shared' if 'MAP_SHARED' in flags else 'private'} memory"
    return f"map {size} of {named(call, process, 4)} into memory"


def _watch(call: Syscall, process: Process) -> str:
    op = names_of(call.arg("op"))
    watched, epoll = named(call, process, 2), named(call, process, 0)
    if "EPOLL_CTL_DEL" in op:
        return f"remove {watched} from {epoll}"
    texts = argument_texts(call)
    events = texts[3].partition("events=")[2].partition(",")[0].strip("}") if len(texts) > 3 else ""
    if "EPOLL_CTL_MOD" in op:
        return f"change what {epoll} watches {watched} for, to {events or '?'}"
    return f"register {watched} with {epoll}, for {events or '?'}"


def _wait(call: Syscall, process: Process) -> str:
    timeout = call.number("timeout")
    limit = {None: "", -1: ", without a timeout", 0: ", without blocking"}.get(timeout, f", for up to {timeout} ms")
    return f"wait for events of {named(call, process, 0)}{limit}"


def _futex(call: Syscall, process: Process) -> str:
    del process
    text = call.body
    if "FUTEX_WAIT" in text or "FUTEX_LOCK" in text or call.name in ("futex_wait", "futex_waitv"):
        return "wait on a futex, as a lock or condition variable does"
    return "wake waiters of a futex" if "FUTEX_WAKE" in text or call.name == "futex_wake" else "operate on a futex"


def _fork(call: Syscall, process: Process) -> str:
    del process
    return "create a thread" if call.has("CLONE_THREAD") else "create a child process"


def _control(call: Syscall, process: Process) -> str:
    op, held = names_of(call.arg(1)), named(call, process, 0)
    texts = argument_texts(call)
    value = texts[2] if len(texts) > 2 else ""
    for name, words in (
        ("F_DUPFD", f"copy {held} to the lowest free number from {value or '0'} on"),
        ("F_GETFD", f"ask whether {held} is closed by execve (FD_CLOEXEC)"),
        ("F_SETFD", f"set the descriptor flags of {held} to {value}"),
        ("F_GETFL", f"ask for the status flags of {held}"),
        ("F_SETFL", f"set the status flags of {held} to {value}"),
        ("LK", f"lock or unlock a range of {held}: {value}"),
    ):
        if any(name in each for each in op):
            return words
    return f"apply {next(iter(op), 'an operation')} to {held}"


def _stat_at(call: Syscall, process: Process) -> str:
    path = text_of(call.arg("path"))
    if path is not None and not path.data:
        return f"ask for the attributes of {named(call, process, 0)}"
    return f"ask for the attributes of {_argument('path', call, process, argument_texts(call))}"


def _unlink_at(call: Syscall, process: Process) -> str:
    what = "directory" if call.has("AT_REMOVEDIR") else "name"
    return f"remove the {what} {_argument('path', call, process, argument_texts(call))}"


_Make = Callable[[Syscall, Process], str]
_SPECIAL: tuple[tuple[frozenset[str], _Make], ...] = (
    (OPENS, _open),
    (MAPS, _map),
    (EPOLL_CTLS, _watch),
    (EPOLL_WAITS, _wait),
    (FUTEXES, _futex),
    (FORKS - {"fork", "vfork"}, _fork),
    (frozenset({"fcntl", "fcntl64"}), _control),
    (frozenset({"newfstatat", "statx", "fstatat64"}), _stat_at),
    (frozenset({"unlinkat"}), _unlink_at),
)
