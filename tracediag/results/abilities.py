"""What can be recorded on a host, and the remedy for what cannot."""

from __future__ import annotations

import msgspec


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that tracediag can do here, or cannot."""

    name: str
    """A fixed word for programs: "command", "attach"."""
    works: bool
    what: str
    """What it is for, with the command that uses it."""
    said: str = ""
    """What was seen: a version, or why it does not work."""
    remedy: str = ""
    """What makes it work; "" where it works."""


class Doctor(msgspec.Struct, frozen=True, kw_only=True):
    """What `tracediag doctor` has found."""

    abilities: tuple[Ability, ...]

    @property
    def records(self) -> bool:
        """Whether a command can be recorded, which everything else rests on."""
        return all(ability.works for ability in self.abilities if ability.name in {"strace", "command", "folder"})
