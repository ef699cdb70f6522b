"""A bot's configuration made into what it is started with, or refused with the key that is wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Final, get_type_hints

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.ids import SeriesTicker, Subaccount, Ticker
from trueup.core.instant import SECOND
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.engine.limits import Hours, Limits
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategy import Mandate, Strategy, Universe
from trueup.run.bot.live_feeds import Pace, Scope
from trueup.run.bot.options import BotOptions
from trueup.run.bot.settings import (
    BotSettings,
    LimitSettings,
    StrategySettings,
    UniverseSettings,
)
from trueup.run.bot.strategy_files import check_every, check_name, find_strategies
from trueup.run.bot.strategy_parameters import make_strategy
from trueup.run.plain_values import convert, length_of
from trueup.run.toml_reading import read_toml

_NAMES: Final = frozenset({"categories", "tickers", "series"})
_LENGTHS: Final = frozenset({"expiry_min", "quote_age_max"})
_HANG_LEAST: Final = SECOND


def read_bot_file(path: Path) -> BotSettings:
    """The settings of a file of their own.  Raises `ConfigError` naming file and key."""
    try:
        return read_toml(path, BotSettings)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no file {path}", remedy="Name a TOML file; docs/guides/bot.md shows one."
        ) from None


def options_of(settings: BotSettings, origin: Path) -> BotOptions:
    """What a bot with these settings is started with; `origin` is the file, for messages and paths.

    Raises `ConfigError` for what is impossible, naming file and key.
    """
    return _Reading(origin).options(settings)


class _Reading:
    """Reads one file's settings."""

    def __init__(self, origin: Path) -> None:
        self._origin = origin

    def options(self, settings: BotSettings) -> BotOptions:
        mandates: list[tuple[Strategy, Mandate]] = []
        for number, each in enumerate(settings.strategies, start=1):
            mandates += self._strategies(each, f"strategies[{number}]")
        self._check_names(mandates)
        given = sum((mandate.capital for _, mandate in mandates), ZERO_MONEY)
        limits = self._limits(settings.limits, "limits", Limits(exposure_max=given))
        self._check_money(settings, mandates, limits)
        if settings.pace not in {"streams", "polling"}:
            raise self._wrong(
                "pace", f"{settings.pace!r} is unknown", 'Use "streams" or "polling".'
            )
        return BotOptions(
            mandates=tuple(mandates),
            engine=Settings(
                limits=limits,
                breaker_threshold=settings.breaker_threshold,
                breaker_resumes=settings.breaker_resumes,
                break_max=self._money(settings.break_max, "break_max"),
            ),
            scope=_scope(mandates),
            pace=Pace(
                streams=settings.pace == "streams",
                prices=self._length(settings.polling_every, "polling_every"),
                account=self._length(settings.account_every, "account_every"),
            ),
            hang_max=self._length_or_none(settings.hang_max, "hang_max"),
        )

    def _strategies(self, each: StrategySettings, key: str) -> list[tuple[Strategy, Mandate]]:
        try:
            found = find_strategies(each.strategy, self._origin.parent)
        except ConfigError as error:
            raise self._wrong(f"{key}.strategy", str(error), error.remedy) from error
        where = f"{self._origin}: {key}.parameters"
        made = [make_strategy(maker, each.parameters, where) for maker in found]
        if len(made) > 1 and (each.name or each.parameters):
            raise self._wrong(
                key,
                f"{each.strategy} holds {len(made)} strategies, which cannot share a name or "
                "parameters",
                "Give each a file of its own.",
            )
        mandate = self._mandate(each, key, made)
        for strategy in made:
            if each.name:
                strategy.name = each.name
            check_name(strategy.name, f"{self._origin}: {key}.name")
            check_every(strategy, f"{self._origin}: {key}")
            if each.universe is not None:
                strategy.universe = self._universe(each.universe, f"{key}.universe")
        return [(strategy, mandate) for strategy in made]

    def _mandate(self, each: StrategySettings, key: str, made: list[Strategy]) -> Mandate:
        capital = self._money(each.capital, f"{key}.capital")
        if capital <= ZERO_MONEY:
            raise self._wrong(f"{key}.capital", f"{capital} is nothing to trade with", "Give more.")
        is_case_study = any(isinstance(strategy, MeanReversion) for strategy in made)
        base = case_study_limits() if is_case_study else Limits()
        limits = self._limits(each.limits, f"{key}.limits", base)
        if is_case_study:
            try:
                limits = case_study_limits(limits)
            except ConfigError as error:
                raise self._wrong(f"{key}.limits.volume_min", str(error), error.remedy) from error
        return Mandate(
            capital=Money(capital.units // len(made)),
            limits=limits,
            subaccount=Subaccount(each.subaccount),
            order_life=self._length_or_none(each.order_life, f"{key}.order_life"),
            order_group=each.order_group,
        )

    def _universe(self, given: UniverseSettings, key: str) -> Universe:
        volume = self._value(given.volume_min, Count, f"{key}.volume_min")
        if volume < Count(0):
            raise self._wrong(f"{key}.volume_min", f"{volume} is negative", "Give 0 or more.")
        return Universe(
            tickers=frozenset(Ticker(each) for each in given.tickers),
            series=frozenset(SeriesTicker(each) for each in given.series),
            categories=frozenset(given.categories),
            busiest=given.busiest,
            volume_min=volume,
        )

    def _limits(self, given: LimitSettings, key: str, base: Limits) -> Limits:
        hints = get_type_hints(Limits)
        values: dict[str, Any] = {each.name: getattr(base, each.name) for each in fields(Limits)}
        for each in fields(Limits):
            named = getattr(given, each.name)
            if named is not None:
                values[each.name] = self._limit(
                    each.name, named, hints[each.name], f"{key}.{each.name}"
                )
        try:
            return Limits(**values)
        except ConfigError as error:
            raise self._wrong(key, str(error), error.remedy) from error

    def _limit(self, name: str, given: Any, hint: Any, key: str) -> object:  # noqa: ANN401
        try:
            if name == "hours":
                return None if given == "none" else Hours.parse(given)
            if name in _NAMES:
                return frozenset(given)
            if name in _LENGTHS:
                return length_of(given)
            if name == "slippage_max":
                return Price.parse(str(given)).units
            value = convert(given, hint)
        except TrueupError as error:
            raise self._wrong(key, str(error), error.remedy) from error
        if isinstance(value, Money | Count) and value.units < 0:
            raise self._wrong(key, f"{value} is negative", "Give 0 or more.")
        return value

    def _check_names(self, mandates: list[tuple[Strategy, Mandate]]) -> None:
        names = [strategy.name for strategy, _ in mandates]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise self._wrong(
                "strategies", f"two strategies are called {twice[0]!r}", "Give one another name."
            )

    def _check_money(
        self, settings: BotSettings, mandates: list[tuple[Strategy, Mandate]], limits: Limits
    ) -> None:
        if settings.portfolio is None:
            return
        portfolio = self._money(settings.portfolio, "portfolio")
        given = sum((mandate.capital for _, mandate in mandates), ZERO_MONEY)
        if given > portfolio:
            raise self._wrong(
                "strategies",
                f"their capitals come to {given.dollars()}, the portfolio is {portfolio.dollars()}",
                "Give less to some of them.",
            )
        if limits.cash_floor >= portfolio:
            raise self._wrong(
                "limits.cash_floor",
                f"a floor of {limits.cash_floor.dollars()} leaves nothing of a portfolio of "
                f"{portfolio.dollars()} to trade with",
                "Lower it.",
            )

    # -- values ----------------------------------------------------------------------------

    def _money(self, given: str | int, key: str) -> Money:
        money = self._value(given, Money, key)
        if money < ZERO_MONEY:
            raise self._wrong(key, f"{money} is negative", "Give 0 or more.")
        return money

    def _value(self, given: str | int, kind: type[Money | Count], key: str) -> Any:  # noqa: ANN401
        try:
            return kind.parse(str(given))
        except TrueupError as error:
            raise self._wrong(key, str(error), 'Write a decimal number: "2.50".') from error

    def _length(self, given: str, key: str) -> int:
        try:
            length = length_of(given)
        except ConfigError as error:
            raise self._wrong(key, str(error), error.remedy) from error
        if length < _HANG_LEAST:
            raise self._wrong(key, f"{given} is too short", "Give a second or more.")
        return length

    def _length_or_none(self, given: str, key: str) -> int | None:
        return None if given == "none" else self._length(given, key)

    def _wrong(self, key: str, words: str, remedy: str) -> ConfigError:
        return ConfigError(f"{self._origin}: {key}: {words}", remedy=remedy)


def _scope(mandates: list[tuple[Strategy, Mandate]]) -> Scope:
    """The markets that are read at all: those of every universe, or all where one names none."""
    universes = [strategy.universe for strategy, _ in mandates]
    if any(not each.tickers and not each.series for each in universes):
        return Scope()
    return Scope(
        tickers=frozenset(ticker for each in universes for ticker in each.tickers),
        series=frozenset(
            series for each in universes if not each.tickers for series in each.series
        ),
    )
