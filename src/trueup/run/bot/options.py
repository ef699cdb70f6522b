"""What a bot is started with: strategies with their mandates, the account's limits, the pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final, cast

from trueup.core.ids import PRIMARY, SeriesTicker, Subaccount, Ticker
from trueup.core.instant import SECOND
from trueup.core.units import ZERO_MONEY, Money, Price
from trueup.engine.limits import Limits
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategy import Mandate, Strategy, Universe
from trueup.run.bot.live_feeds import Pace, Scope
from trueup.run.bot.strategy_parameters import parameter_words
from trueup.run.fix.settings import OrderEntry
from trueup.run.plain_values import length_words
from trueup.sim.living.built_in import DEFAULT_WORLD

HANG_MAX = 30 * SECOND
"""How long one step of the machine, strategies included, may take before the bot stops itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenOnly:
    """Not to trade but to close what is held: who said so, whose positions (empty: all), and
    how much worse than the best price an order may be.
    """

    by: str
    strategy: str
    words: str
    slippage: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class BotOptions:
    """What a bot is started with.  Times in microseconds.

    `hang_max` of `None` switches the watchdog off.  `world` and `seed` say which living
    world is made on the sandbox.
    """

    mandates: tuple[tuple[Strategy, Mandate], ...]
    engine: Settings = field(default_factory=Settings)
    scope: Scope = field(default_factory=Scope)
    pace: Pace = field(default_factory=Pace)
    hang_max: int | None = HANG_MAX
    leave_after: int | None = None
    live: bool = False
    world: str = DEFAULT_WORLD
    seed: int | None = None
    flatten: FlattenOnly | None = None
    order_entry: OrderEntry | None = None
    """By which road orders go out; `None`: as the configuration says."""

    @property
    def capital(self) -> Money:
        """What all strategies together may tie up."""
        return sum((mandate.capital for _, mandate in self.mandates), ZERO_MONEY)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the strategies."""
        return tuple(strategy.name for strategy, _ in self.mandates)


def plain_mandates(
    strategies: Sequence[Strategy], capital: Money, *, subaccount: Subaccount = PRIMARY
) -> tuple[tuple[Strategy, Mandate], ...]:
    """Strategies that share the capital in equal parts, with the limits that they ship with."""
    share = Money(capital.units // max(1, len(strategies)))
    return tuple(
        (
            each,
            Mandate(capital=share, limits=shipped_limits(each, share), subaccount=subaccount),
        )
        for each in strategies
    )


def shipped_limits(strategy: Strategy, capital: Money) -> Limits:
    """The limits of a strategy for which nobody set any."""
    if isinstance(strategy, MeanReversion):
        return case_study_limits()
    return Limits(exposure_max=capital)


def plain_options(
    strategies: Sequence[Strategy],
    capital: Money,
    *,
    tickers: frozenset[Ticker] = frozenset(),
    series: frozenset[SeriesTicker] = frozenset(),
    streams: bool = True,
) -> BotOptions:
    """The options of a bot without a configuration: the capital is the account's limit, too."""
    return BotOptions(
        mandates=plain_mandates(strategies, capital),
        engine=Settings(limits=Limits(exposure_max=capital, tickers=tickers, series=series)),
        scope=Scope(tickers=tickers, series=series),
        pace=Pace(streams=streams),
    )


def plan_of(options: BotOptions) -> dict[str, Any]:
    """What would run, as plain values: strategies with everything that was settled for them."""
    pace = options.pace
    return {
        "strategies": [
            {
                "name": strategy.name,
                "capital": str(mandate.capital),
                "subaccount": mandate.subaccount,
                "order_life": _shown("order_life", mandate.order_life),
                "order_group": mandate.order_group,
                "parameters": parameter_words(strategy),
                "universe": _settled(strategy.universe, Universe()),
                "limits": _settled(mandate.limits, None),
            }
            for strategy, mandate in options.mandates
        ],
        "limits": _settled(options.engine.limits, None),
        "pace": "streams" if pace.streams else f"polling every {length_words(pace.prices)}",
        "breaker_threshold": options.engine.breaker_threshold,
        "hang_max": _shown("hang_max", options.hang_max),
    }


_LENGTHS: Final = frozenset({"expiry_min", "quote_age_max", "order_life", "hang_max"})


def _settled(value: Limits | Universe, default: Limits | Universe | None) -> dict[str, str]:
    """What is set in it; with a `default` only what differs from it."""
    found: dict[str, str] = {}
    for each in fields(value):
        given = getattr(value, each.name)
        is_set = bool(given) if default is None else given != getattr(default, each.name)
        if is_set:
            found[each.name] = _shown(each.name, given)
    return found


def _shown(name: str, given: object) -> str:
    if given is None:
        return "none"
    if isinstance(given, frozenset):
        return ", ".join(sorted(map(str, cast("frozenset[object]", given))))
    if isinstance(given, int) and name in _LENGTHS:
        return length_words(given)
    if name == "slippage_max" and isinstance(given, int):
        return str(Price(given))
    return str(given)
