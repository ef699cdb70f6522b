"""Fewer rounds of the garbage collector while very many values are made.

Facts, entries and rows never refer to each other in circles, so counting
references frees all of them.  The collector would still walk over thousands of
live values again and again: a third of the time of a long backfill.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final

NEW_OBJECTS: Final = 50_000
"""How many more objects must live than before the collector looks for circles."""


class _Setting:
    """The program's own setting, kept while any thread is inside a block."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._own = (0, 0, 0)

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._own = gc.get_threshold()
                if 0 < self._own[0] < NEW_OBJECTS:
                    gc.set_threshold(NEW_OBJECTS, *self._own[1:])
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                gc.set_threshold(*self._own)


_SETTING: Final = _Setting()


@contextmanager
def collecting_rarely() -> Generator[None]:
    """Let the collector look rarely inside the block (or the decorated function)."""
    _SETTING.enter()
    try:
        yield
    finally:
        _SETTING.leave()
