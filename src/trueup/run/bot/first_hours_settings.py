"""The section ``[first_hours]`` of `config.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import Instant
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.engine.limits import FirstHours

HOURS_MAX: Final = 24 * 365


class FirstHoursSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[first_hours]``: caps of a bot on the production exchange, until it has proven itself."""

    hours: int = 24
    """For how long, from the first start with real money; 0: no caps."""
    order_count_max: str = "5"
    """Contracts that one order may have."""
    exposure_max: str = "50"
    """Dollars that all positions and open orders may cost together."""

    def caps(self, until: Instant) -> FirstHours:
        """The caps as the machine takes them.  Raises `NotANumber`."""
        return FirstHours(
            until=until,
            order_count_max=Count.parse(self.order_count_max),
            exposure_max=Money.parse(self.exposure_max),
        )


def check_first_hours(settings: FirstHoursSettings, path: Path) -> None:
    """Raise `ConfigError` for what cannot be meant."""
    try:
        caps = settings.caps(Instant(0))
    except TrueupError as error:
        raise ConfigError(f"{path}: [first_hours]: {error}", remedy=f"Correct {path}.") from error
    if not 0 <= settings.hours <= HOURS_MAX:
        raise ConfigError(
            f"{path}: [first_hours]: hours = {settings.hours} is impossible",
            remedy=f"Give 0 (no caps) to {HOURS_MAX}.",
        )
    if caps.order_count_max <= ZERO_COUNT or caps.exposure_max <= ZERO_MONEY:
        raise ConfigError(
            f"{path}: [first_hours]: with these caps nothing could be traded",
            remedy="Give positive ones; hours = 0 switches them off.",
        )
