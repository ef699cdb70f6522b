"""Which event loop servers run on: uvloop's where it is installed, else the standard one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop for an `asyncio.Runner`; `None` for the standard one."""
    if find_spec("uvloop") is None:
        return None
    made = import_module("uvloop").new_event_loop
    return cast("Callable[[], asyncio.AbstractEventLoop]", made)
