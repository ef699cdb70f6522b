"""What a configuration file says about a bot: the sections and keys, before they mean anything.

The same keys stand under ``[bot]`` in `config.toml`, or at the top of a file of their
own (`bot.toml`).  Amounts and prices are decimals in quotes, lengths of time are like
``"15m"``; ``"none"`` switches a limit off where that can make sense.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Amount = str | int
Positive = Annotated[int, msgspec.Meta(ge=1)]


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits, for the account or for one strategy; what is not named keeps its default."""

    position_max: Amount | None = None
    event_exposure_max: Amount | None = None
    exposure_max: Amount | None = None
    cash_floor: Amount | None = None
    order_count_max: Amount | None = None
    open_orders_max: Positive | None = None
    orders_per_minute_max: Positive | None = None
    price_min: Amount | None = None
    price_max: Amount | None = None
    slippage_max: Amount | None = None
    """Dollars a contract that a limit may lie beyond the price of the decision."""
    daily_loss_max: Amount | None = None
    drawdown_max: Amount | None = None
    volume_min: Amount | None = None
    expiry_min: str | None = None
    hours: str | None = None
    """Like ``"08:00-18:00"``, Eastern."""
    categories: tuple[str, ...] | None = None
    tickers: tuple[str, ...] | None = None
    """With `series`: positions are opened only in markets that one of the two names."""
    series: tuple[str, ...] | None = None
    quote_age_max: str | None = None


class UniverseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which markets a strategy is shown; what is not named is no condition."""

    categories: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    tickers: tuple[str, ...] = ()
    busiest: Positive | None = None
    """Only so many of those that fit, by the volume of the last day."""
    volume_min: Amount = 0


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy: by the name of one that ships, or a Python file beside this one."""

    strategy: str
    capital: Amount
    name: str = ""
    """Its tag, where it shall have another one than its own."""
    parameters: dict[str, str | int | bool | list[str] | dict[str, str | int]] = {}
    universe: UniverseSettings | None = None
    limits: LimitSettings = LimitSettings()
    subaccount: Annotated[int, msgspec.Meta(ge=0, le=63)] = 0
    order_life: str = "15m"
    """After how long a resting order expires by itself unless renewed; ``"none"``: never."""
    order_group: str = ""


class BotSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bot: its strategies and what holds for all of them together."""

    strategies: Annotated[tuple[StrategySettings, ...], msgspec.Meta(min_length=1)]
    portfolio: Amount | None = None
    """What there is in all; the strategies' capitals may not come to more."""
    limits: LimitSettings = LimitSettings()
    pace: str = "streams"
    """``"streams"`` or ``"polling"``."""
    polling_every: str = "90s"
    account_every: str = "15s"
    breaker_threshold: Positive = 3
    breaker_resumes: bool = True
    """Whether the breaker's halt lifts by itself once calls succeed and nothing rests."""
    break_max: Amount = "1.00"
    """The break in the books above which nothing new is sent."""
    hang_max: str = "30s"
    """How long one step may take before the bot stops itself; ``"none"``: for ever."""
