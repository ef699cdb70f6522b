"""Trade toward the mean: the case study's strategy.

**Idea.**  Short-dated economic contracts overreact.  When the YES price is at
least `deviation` away from its rolling seven-day mean, the side that the mean
speaks for is bought; the position is closed when the price is back within
`exit_within` of the mean.  An outside probability (`AnchorSignal`), where there
is a fresh one, is asked too: with `needs_anchor_agreement` a trade against it is
not made.

**Parameters.**  Deviation 12 points, window 7 days, size 2 % of the portfolio at
most, a tolerance of 2 cents beyond the quote so that an order fills without
chasing.  **Limits** come from the mandate (`case_study_limits`): economics only,
500 contracts a day, no new position in the last four hours, 08:00-18:00 Eastern.

**What it cannot know.**  A price that moved for a reason stays moved; the mean is
no fair value.  That is what the anchor, the small size and the loss limits are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio, rounded_text
from trueup.engine.limits import FOUR_HOURS, Hours, Limits
from trueup.engine.market import Top
from trueup.engine.pegging import pegged
from trueup.engine.signals import AnchorSignal, Signal
from trueup.engine.sizing import Percent, Sizing
from trueup.engine.strategy import Desk, FairValue, Strategy, Universe
from trueup.engine.wishes import Wish, buy_no, buy_yes, sell_no, sell_yes

VOLUME_MIN: Final = Count.of_contracts(200)
"""Below this daily volume the spread eats every edge: the case study's hard floor."""


def case_study_limits(limits: Limits | None = None, **changes: object) -> Limits:
    """The case study's filters as limits; `changes` override single ones.

    Raises `ConfigError` for a daily volume below 200.
    """
    settings: dict[str, object] = {
        "volume_min": Count.of_contracts(500),
        "expiry_min": FOUR_HOURS,
        "hours": Hours(8 * 60, 18 * 60),
        "categories": frozenset({"Economics"}),
    }
    if limits is not None:
        settings = {name: getattr(limits, name) for name in limits.__slots__}
    made = Limits(**{**settings, **changes})  # pyright: ignore[reportArgumentType]
    if made.volume_min < VOLUME_MIN:
        raise ConfigError(
            f"mean reversion needs markets of {VOLUME_MIN} contracts a day, got {made.volume_min}",
            remedy="Raise volume_min to at least 200.",
        )
    return made


class MeanReversion(Strategy):
    """Buys the side that a rolling mean speaks for."""

    name = "mean-reversion"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        deviation: Ratio | None = None,
        exit_within: Ratio | None = None,
        window: int = 7 * DAY,
        sizing: Sizing | None = None,
        tolerance: int = 200,
        needs_anchor_agreement: bool = True,
        anchor_age_max: int = 36 * HOUR,
    ) -> None:
        self.universe = Universe(busiest=22) if universe is None else universe
        self.deviation = Ratio(12, 100) if deviation is None else deviation
        self.exit_within = Ratio(3, 100) if exit_within is None else exit_within
        self.window = window
        self.windows = (window,)
        self.sizing: Sizing = Percent(Ratio(2, 100)) if sizing is None else sizing
        self.tolerance = tolerance
        self.needs_anchor_agreement = needs_anchor_agreement
        self.anchor_age_max = anchor_age_max
        self._anchors: dict[Ticker, AnchorSignal] = {}

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "deviation": str(self.deviation),
            "exit_within": str(self.exit_within),
            "window_days": str(Ratio(self.window, DAY)),
            "tolerance": str(Price(self.tolerance)),
            "sizing": repr(self.sizing),
        }

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """Remember what the outside thinks."""
        del desk
        if isinstance(signal, AnchorSignal):
            self._anchors[signal.ticker] = signal
        return ()

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        """Enter far from the mean, leave near it."""
        for ticker in moved:
            mean, top = desk.mean(ticker, self.window), desk.top(ticker)
            if mean is None or top.mid is None:
                continue
            net = desk.net(ticker)
            wish = (
                self._leave(ticker, top, mean, net) if net else self._enter(desk, ticker, top, mean)
            )
            if wish is not None:
                yield wish

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        """The rolling mean: what it trades toward, and no more than that (see above)."""
        mean = desk.mean(ticker, self.window)
        if mean is None:
            return None
        source = f"mean of {rounded_text(Ratio(self.window, DAY), 2)} days"
        return FairValue(value=mean, as_of=desk.now, source=source)

    def _enter(self, desk: Desk, ticker: Ticker, top: Top, mean: Ratio) -> Wish | None:
        price = top.mark
        if price is None:
            return None
        away = Ratio(price.units, 10_000) - mean
        if abs(away) < self.deviation or self._anchor_disagrees(desk, ticker, price, away):
            return None
        points = (
            f"{rounded_text(abs(away) * 100, 1)} points {'above' if away > 0 else 'below'} the mean"
        )
        reason = f"{price} is {points} of {rounded_text(mean, 4)}"
        if away > 0 and top.bid is not None:
            own = top.bid.complement()
            count = self.sizing.size(own, desk.value, 1 - mean)
            limit = pegged(own, self.tolerance, desk.listing(ticker).grid)
            return buy_no(ticker, count, limit, reason=reason) if count else None
        if away < 0 and top.ask is not None:
            count = self.sizing.size(top.ask, desk.value, mean)
            limit = pegged(top.ask, self.tolerance, desk.listing(ticker).grid)
            return buy_yes(ticker, count, limit, reason=reason) if count else None
        return None

    def _leave(self, ticker: Ticker, top: Top, mean: Ratio, net: Count) -> Wish | None:
        mid = top.mid
        if mid is None:
            return None
        if net > ZERO_COUNT:
            if mid < mean - self.exit_within or top.bid is None:
                return None
            reason = f"back at {rounded_text(mid, 4)}, mean {rounded_text(mean, 4)}"
            return sell_yes(ticker, net, top.bid, reason=reason)
        if mid > mean + self.exit_within or top.ask is None:
            return None
        reason = f"back at {rounded_text(mid, 4)}, mean {rounded_text(mean, 4)}"
        return sell_no(ticker, abs(net), top.ask.complement(), reason=reason)

    def _anchor_disagrees(self, desk: Desk, ticker: Ticker, price: Price, away: Ratio) -> bool:
        """Whether a fresh outside probability speaks for the price and against the mean."""
        anchor = self._anchors.get(ticker)
        if not self.needs_anchor_agreement or anchor is None:
            return False
        if Instant(desk.now - anchor.at) > self.anchor_age_max:
            return False
        fair = anchor.probability - Ratio(price.units, 10_000)
        return fair * away >= 0
