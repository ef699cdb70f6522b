"""The section ``[books]`` of `config.toml`: the books that are kept beside a running bot."""

from __future__ import annotations

from pathlib import Path

import msgspec

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import SECOND
from trueup.run.schedule import parse_interval


class BooksSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[books]``: how often a bot's books are proven.

    Pauses are like 90s, 15m, 1h; ``off`` proves nothing beside the bot.
    """

    every: str = "15m"
    after_settlement: str = "1m"
    """How long after a settlement they are proven out of turn: its row takes a moment."""

    @property
    def is_on(self) -> bool:
        """Whether books are kept beside the bot at all."""
        return self.every != "off"

    @property
    def pause(self) -> int:
        """Microseconds between two proofs."""
        return parse_interval(self.every) * SECOND

    @property
    def settlement_pause(self) -> int:
        """Microseconds from a settlement to the proof after it."""
        return parse_interval(self.after_settlement) * SECOND


def check_books(settings: BooksSettings, path: Path) -> None:
    """Raise `ConfigError` for what cannot be meant."""
    try:
        if settings.is_on:
            _ = settings.pause
        _ = settings.settlement_pause
    except TrueupError as error:
        raise ConfigError(f"{path}: [books]: {error}", remedy=f"Correct {path}.") from error
