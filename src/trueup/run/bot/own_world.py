"""A bot's own living world, for other programs of this machine to find.

A bot on the sandbox without an address trades a world inside its own process.  While it
runs, a file in the home says how that world is reached, so that the page shows what the bot
really trades.  The key in it opens nothing but this world, and only its owner may read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.instant import SECOND
from trueup.run.bot.places import check_log
from trueup.run.desk import DeskSettings
from trueup.run.private_files import write_private_file

_LOOK_AGAIN: Final = SECOND // 2
_LOOKS: Final = 120


def world_path(settings: DeskSettings) -> Path:
    """Where a running bot of this account says how its own world is reached."""
    return settings.home / f"world-{settings.config.venue}-{settings.config.account}.json"


def tell_own_world(
    settings: DeskSettings, environment: Mapping[str, str], stack: ExitStack
) -> None:
    """Say until `stack` ends how the world is reached; nothing where the exchange is another's."""
    if not environment:
        return
    path = world_path(settings)
    path.unlink(missing_ok=True)
    write_private_file(path, msgspec.json.encode(environment))
    stack.callback(path.unlink, missing_ok=True)


def own_world_of_bot(settings: DeskSettings, sleep: Callable[[int], None]) -> Mapping[str, str]:
    """What points a program at the world that this account's bot trades; empty: there is none.

    A bot that is only just starting makes its world first: that is waited for (`sleep` takes
    microseconds).  One that was pointed at another exchange has none.
    """
    for _ in range(_LOOKS):
        if not check_log(settings):
            break
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(world_path(settings).read_bytes(), type=dict[str, str])
        sleep(_LOOK_AGAIN)
    return {}  # a file that a bot left behind leads nowhere
