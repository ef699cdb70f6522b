"""The limits that a trader sets: for the whole account, and for each strategy by itself.

Every limit has a safe default; `None` switches one off where that can make
sense.  The same checks run twice for every order, once in the scope of the
strategy and once in the scope of the account.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.core.errors import ConfigError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import EASTERN as EASTERN_ZONE
from trueup.core.instant import HOUR, MINUTE, Instant, to_datetime
from trueup.core.units import Count, Money, Price


@dataclass(frozen=True, slots=True)
class Hours:
    """Trading hours in Eastern time, in minutes of the day; the end is not included."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= 24 * 60:
            raise ConfigError(
                f"trading hours from {_clock(self.start)} to {_clock(self.end)} are impossible",
                remedy="Give hours of one day, the earlier one first, e.g. 08:00-18:00.",
            )

    def covers(self, at: Instant) -> bool:
        """Whether `at` lies within the hours, by the Eastern clock."""
        local = to_datetime(at).astimezone(EASTERN_ZONE)
        return self.start <= local.hour * 60 + local.minute < self.end

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Read ``08:00-18:00``.  Raises `ConfigError`."""
        try:
            begin, _, end = text.partition("-")
            return cls(_minutes(begin), _minutes(end))
        except ValueError:
            raise ConfigError(
                f"{text!r} are no trading hours", remedy="Write them as 08:00-18:00 (Eastern)."
            ) from None

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an order may not exceed.

    Counts are contracts, money is at cost.  `slippage_max` is in price units
    ($0.0001): how far the limit may lie beyond the price of the decision.
    `hours`, `volume_min`, `expiry_min` (microseconds) and `categories` guard new
    positions only: what is held may always be closed.  So do `tickers` and `series`: where
    any is given, only markets that one of them names are opened.  `quote_age_max`
    (microseconds) is how old a quote may be that an order is based on.
    """

    position_max: Count | None = field(default_factory=lambda: Count.of_contracts(100))
    event_exposure_max: Money | None = None
    exposure_max: Money | None = None
    cash_floor: Money = field(default_factory=lambda: Money(0))
    order_count_max: Count = field(default_factory=lambda: Count.of_contracts(100))
    open_orders_max: int = 50
    orders_per_minute_max: int = 60
    price_min: Price = field(default_factory=lambda: Price.of_cents(1))
    price_max: Price = field(default_factory=lambda: Price.of_cents(99))
    slippage_max: int = 200
    daily_loss_max: Money | None = None
    drawdown_max: Money | None = None
    volume_min: Count = field(default_factory=lambda: Count(0))
    expiry_min: int = 0
    hours: Hours | None = None
    categories: frozenset[str] = frozenset()
    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    quote_age_max: int = 2 * MINUTE

    def __post_init__(self) -> None:
        for name in ("position_max", "event_exposure_max", "exposure_max", "order_count_max"):
            value: Count | Money | None = getattr(self, name)
            if value is not None and value.units <= 0:
                raise ConfigError(
                    f"the limit {name} is {value}: nothing could ever be traded",
                    remedy="Give a positive limit, or leave it out.",
                )
        for name in ("daily_loss_max", "drawdown_max"):
            loss: Money | None = getattr(self, name)
            if loss is not None and loss.units <= 0:
                raise ConfigError(
                    f"the limit {name} is {loss}: it would stop at once",
                    remedy="Give the loss as a positive amount of dollars.",
                )
        if self.price_min > self.price_max:
            raise ConfigError(
                f"no price is both at least {self.price_min} and at most {self.price_max}",
                remedy="Let price_min be below price_max.",
            )
        if self.open_orders_max < 1 or self.orders_per_minute_max < 1 or self.slippage_max < 0:
            raise ConfigError(
                "open_orders_max and orders_per_minute_max must be at least 1, "
                "slippage_max at least 0",
                remedy="Correct these limits.",
            )

    def names(self, ticker: Ticker, series: SeriesTicker) -> bool:
        """Whether positions may be opened in this market, by its name."""
        is_free = not self.tickers and not self.series
        return is_free or ticker in self.tickers or series in self.series


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstHours:
    """Caps on what opens a position, for the first hours with real money; they lift at `until`."""

    until: Instant
    order_count_max: Count
    exposure_max: Money


def _minutes(text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute or "0")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


FOUR_HOURS = 4 * HOUR
"""The case study's distance from a market's end: below it, a mean says little."""
