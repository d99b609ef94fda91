"""The skeleton of a new rule: its two files, and two programs to record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tracediag.commands.errors import CommandError, UsageError
from tracediag.trace.patterns import lazy_pattern

_NAME = lazy_pattern(r"[a-z]+(?:-[a-z0-9]+)+")
_CODE = lazy_pattern(r'^    code = "TD(\d{3})"$', re.MULTILINE)

_RULE = '''"""{code}: SUMMARY."""

from __future__ import annotations

from collections.abc import Iterator

from tracediag.kernel import Action
from tracediag.results.findings import Finding, Severity, step
from tracediag.rules.base import Rule, on_errno


class {cls}(Rule):
    """WHAT PROVES THE FAULT, in one line."""

    code = "{code}"
    name = "{name}"
    severity = Severity.WARNING
    summary = "the fault in one line, lower case, without a full stop"

    @on_errno("EBADF", of=("fsync",))
    def failed(self, action: Action) -> Iterator[Finding]:
        """Report WHAT. Subscribe as narrowly as possible; test first what needs no parsing."""
        call = action.call
        yield self.finding(
            [step(call, "what this call means for the object", primary=True)],
            object="the object by its name",
            title="the fault, which stands alone and names the object",
            why="one sentence of what the kernel does: fsync(2)",
            fix="what to type or change, in this trace's own names",
        )
'''

_PAGE = """# {name} ({code})

## What it finds
WHAT HAPPENS, in one sentence. Then when it is an error, a warning or a note, and what makes it certain.

## A trace that shows it
WHAT THE PROGRAM DOES (`samples/{name}/bug.c`).

```trace
```

## A trace that does not
WHAT THE REPAIRED PROGRAM DOES (`samples/{name}/fixed.c`).

```trace quiet
```

## Why it is a bug
WHAT THE KERNEL DOES, with the man page.

## How to fix it
WHAT TO CHANGE, with code.

## When it is fine
- WHERE THE SAME CALLS ARE NO FAULT.

## What to record
`strace -f -ttt -T -yy`, AND WHAT OF IT THE RULE NEEDS.

## See also
fsync(2).
"""

_BUG = """/* WHAT GOES WRONG. */
int main(void)
{
    return 0;
}
"""

_FIXED = """/* The same, repaired. */
int main(void)
{
    return 0;
}
"""

_RECORD = """#!/bin/sh
# Records the programs of this folder.
exec "$(dirname "$0")/../record.sh" "$(dirname "$0")" "$@"
"""


def scaffold(checkout: Path, name: str, family: str | None) -> tuple[str, list[Path]]:
    """Write the files of a new rule; return its code and the files.

    Args:
        checkout: the folder that holds `pyproject.toml`, `tracediag/rules` and `samples`.
        name: the fault, in words joined by hyphens.
        family: the folder of the rule; by default the one whose rules are most like it.

    Raises:
        UsageError: if a name is invalid, or a file exists already: nothing is written then.
        CommandError: if a file cannot be written.
    """
    rules = checkout / "tracediag" / "rules"
    if not (rules.is_dir() and (checkout / "pyproject.toml").is_file()):
        raise UsageError(f"{checkout}: not a checkout of tracediag; name one with --dir")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a rule name: use lower-case words joined by hyphens, such as double-close")
    family = family or _family_like(name)
    families = sorted(path.parent.name for path in rules.glob("*/__init__.py"))
    if family not in families:
        raise UsageError(f"no family {family!r}; families: {', '.join(families)}")
    code = _next_code(rules, family)
    contents = dict(_contents(checkout, rules / family, name, code))
    for path in contents:
        if path.exists():
            raise UsageError(f"{path}: already exists; nothing was written")
    try:
        for path, text in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
            path.chmod(0o755 if path.suffix == ".sh" else 0o644)
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    return code, list(contents)


def _contents(checkout: Path, folder: Path, name: str, code: str) -> Iterator[tuple[Path, str]]:
    stem = name.replace("-", "_")
    words = {"name": name, "code": code, "cls": "".join(map(str.capitalize, name.split("-")))}
    yield folder / f"{stem}.py", _RULE.format(**words)
    yield folder / f"{stem}.md", _PAGE.format(**words)
    samples = checkout / "samples" / name
    yield samples / "bug.c", _BUG
    yield samples / "fixed.c", _FIXED
    yield samples / "record.sh", _RECORD


def _family_like(name: str) -> str:
    """Return the family of the rule with the most similar name. Raises `UsageError` if none is similar."""
    from tracediag.rules import all_rules
    from tracediag.rules.selection import alike

    families = {rule.name: rule.family() for rule in all_rules()}
    for found in alike(name, all_rules()):
        return families.get(found, found)
    raise UsageError(f"no rule resembles {name!r}: name its family with --family")


def _next_code(rules: Path, family: str) -> str:
    """Return the code after the last of a family; gaps are not reused, as they may have been rules."""
    used = {folder.name: _codes(folder) for folder in rules.iterdir() if folder.is_dir()}
    mine = used[family]
    taken = set().union(*used.values())
    last = max(mine) if mine else max(taken, default=0) // 100 * 100 + 100
    free = next((number for number in range(last + 1, 1000) if number not in taken), None)
    if free is None:
        raise UsageError(f"no free code for a rule in {family}")
    return f"TD{free}"


def _codes(folder: Path) -> set[int]:
    texts = (path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    return {int(code) for text in texts for code in _CODE.findall(text)}
