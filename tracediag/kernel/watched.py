"""What evidence may keep a case on: an object of the model that tells its watchers what becomes of it.

It is gone one day, or it turns out to be the same as another one: two processes of which the trace does not show the
start are threads of one, and what each has met under a number is one description.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Watcher(Protocol):
    """Keeps something about objects of the model, and is told when one of them is gone or is another one."""

    def gone(self, watched: Any) -> None:
        """Drop what is kept about an object."""

    def moved(self, watched: Any, to: Any) -> None:
        """Keep for another object what is kept about one that turns out to be the same."""


class Watched(msgspec.Struct, eq=False, kw_only=True):
    """An object of the model with a life that ends; compared and hashed by identity."""

    watchers: tuple[Watcher, ...] = ()
    """What keeps something about it; a tuple, because nearly all objects have none or one."""

    def watch(self, watcher: Watcher) -> None:
        """Let a watcher know when it is gone."""
        self.watchers = (*self.watchers, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """End what `watch` began; a watcher that is not there is no error."""
        watchers = self.watchers
        if len(watchers) == 1 and watchers[0] is watcher:
            self.watchers = ()
        else:
            self.watchers = tuple(each for each in watchers if each is not watcher)

    def end_watch(self) -> None:
        """Tell all watchers that it is gone."""
        watchers, self.watchers = self.watchers, ()
        for watcher in watchers:
            watcher.gone(self)

    def hand_over(self, to: Watched) -> None:
        """Tell all watchers that it is the same as another object of its kind, which stays."""
        watchers, self.watchers = self.watchers, ()
        for watcher in watchers:
            watcher.moved(self, to)
