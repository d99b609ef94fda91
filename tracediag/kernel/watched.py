"""What evidence may keep a case on: an object of the model that tells its watchers when it is gone."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class Watcher(Protocol):
    """Keeps something about objects of the model, and is told when one of them is gone."""

    def gone(self, watched: Any) -> None:
        """Drop what is kept about an object."""


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
