"""When the exchange takes orders: the closings it has planned, and what it says of itself now.

Around the clock but for maintenance (on Thursdays from 03:00 to 05:00 Eastern time, by the
schedule of 2026), and the whole exchange or one shard may pause at any time.  Shortly before
a planned closing nothing new is sent, so that no answer is cut off by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trueup.core.ids import SHARD_ZERO, Shard
from trueup.core.instant import MINUTE, Instant, format_instant
from trueup.engine.refusals import Code, Refusal


@dataclass(frozen=True, slots=True)
class Window:
    """A planned closing: from `begin` until `end`."""

    begin: Instant
    end: Instant

    def covers(self, at: Instant, lead: int) -> bool:
        """Whether `at` lies in it, or less than `lead` microseconds before it."""
        return self.begin - lead <= at < self.end


@dataclass(frozen=True, slots=True)
class Activity:
    """What the exchange or one of its shards does: cancels still pass where only trading stops."""

    exchange_active: bool
    trading_active: bool

    @property
    def takes_orders(self) -> bool:
        """Whether an order can be placed."""
        return self.exchange_active and self.trading_active

    def __str__(self) -> str:
        if self.takes_orders:
            return "open"
        return "trading is paused" if self.exchange_active else "the exchange is closed"


OPEN = Activity(exchange_active=True, trading_active=True)


@dataclass(slots=True)
class ExchangeHours:
    """What is known of the exchange's hours.  `lead` is in microseconds."""

    lead: int = 2 * MINUTE
    windows: Sequence[Window] = ()
    activity: Activity = OPEN
    shards: Mapping[Shard, Activity] = field(default_factory=dict[Shard, Activity])
    resumes_at: Instant | None = None
    left: set[Window] = field(default_factory=set[Window])
    """The closings before which our resting orders were taken back."""

    def of(self, shard: Shard) -> Activity:
        """What a shard does; one that is not named does what the exchange does."""
        return self.shards.get(shard, self.activity)

    def window_at(self, at: Instant) -> Window | None:
        """The planned closing that `at` lies in or shortly before."""
        return next((each for each in self.windows if each.covers(at, self.lead)), None)

    def why_closed(self, at: Instant, shard: Shard) -> Refusal | None:
        """Why no order may go to a shard at `at`; `None` when one may."""
        window = self.window_at(at)
        if window is not None:
            figures = {"from": format_instant(window.begin), "until": format_instant(window.end)}
            return Refusal(Code.MAINTENANCE, figures=figures)
        activity = self.of(shard)
        if activity.takes_orders:
            return None
        figures = {"shard": str(shard), "it says": str(activity)}
        if self.resumes_at is not None:
            figures["resumes"] = format_instant(self.resumes_at)
        return Refusal(Code.EXCHANGE_PAUSED, figures=figures)

    def expects_failures(self, at: Instant) -> bool:
        """Whether calls may fail now without anything being wrong: the exchange is closed."""
        planned = any(each.begin <= at < each.end for each in self.windows)
        return planned or not self.of(SHARD_ZERO).exchange_active
