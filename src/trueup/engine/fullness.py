"""How full each limit is: what is used of what is allowed, for the operator to see.

The same figures as in `risk`, without an order in mind: open orders count as if
they had filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.core.instant import MINUTE
from trueup.core.units import ZERO_MONEY, Count, Money, Ratio
from trueup.engine.exposure import opening_cost
from trueup.engine.inflight import OwnOrder
from trueup.engine.limits import Limits
from trueup.engine.state import Running, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Fullness:
    """One limit.  `strategy` is empty for the account; `subject` is the market or the event
    that is fullest, where the limit is for each of them.
    """

    limit: str
    used: Money | Count | int
    allowed: Money | Count | int
    strategy: str = ""
    subject: str = ""

    @property
    def share(self) -> Ratio:
        """Used of allowed; 1 is full."""
        return Ratio(_units(self.used), max(_units(self.allowed), 1))


def fullness(state: State) -> list[Fullness]:
    """Every limit that is set: the account's first, then each strategy's."""
    found = list(_of(state, None, state.settings.limits))
    for running in state.running.values():
        found.append(
            Fullness(
                limit="capital",
                strategy=running.name,
                used=exposure(state, running.name),
                allowed=running.mandate.capital,
            )
        )
        found.extend(_of(state, running, running.mandate.limits))
    return found


def exposure(state: State, strategy: str | None) -> Money:
    """What the positions cost, and what open orders would add: a strategy's, or the account's."""
    orders = _orders(state, strategy)
    opening = opening_cost(state.portfolio, orders, strategy, lambda each: each.open_count)
    return state.portfolio.cost(None, strategy) + opening


def _of(state: State, running: Running | None, limits: Limits) -> Iterator[Fullness]:
    name = "" if running is None else running.name
    who = None if running is None else running.name
    if limits.exposure_max is not None:
        used = exposure(state, who)
        yield Fullness(limit="exposure_max", used=used, allowed=limits.exposure_max, strategy=name)
    if limits.event_exposure_max is not None:
        event, used = _fullest_event(state, who)
        yield Fullness(
            limit="event_exposure_max",
            used=used,
            allowed=limits.event_exposure_max,
            strategy=name,
            subject=event,
        )
    if limits.position_max is not None:
        ticker, count = _largest_position(state, who)
        yield Fullness(
            limit="position_max",
            used=count,
            allowed=limits.position_max,
            strategy=name,
            subject=ticker,
        )
    living = [each for each in state.inflight.living() if who in {None, each.intent.strategy}]
    yield Fullness(
        limit="open_orders_max", used=len(living), allowed=limits.open_orders_max, strategy=name
    )
    sent = state.sent if running is None else running.sent
    yield Fullness(
        limit="orders_per_minute_max",
        used=sum(1 for at in sent if state.now - at < MINUTE),
        allowed=limits.orders_per_minute_max,
        strategy=name,
    )
    yield from _losses(state, name, who, limits)


def _losses(state: State, name: str, who: str | None, limits: Limits) -> Iterator[Fullness]:
    day = state.losses.day(name)
    if day is None:
        return
    profit = state.portfolio.profit(state.marks(), who)
    for limit, since, allowed in (
        ("daily_loss_max", day.profit, limits.daily_loss_max),
        ("drawdown_max", day.peak, limits.drawdown_max),
    ):
        if allowed is not None:
            lost = max(since - profit, ZERO_MONEY)
            yield Fullness(limit=limit, used=lost, allowed=allowed, strategy=name)


def _orders(state: State, strategy: str | None) -> list[OwnOrder]:
    return [each for each in state.inflight.unsettled() if strategy in {None, each.intent.strategy}]


def _fullest_event(state: State, strategy: str | None) -> tuple[str, Money]:
    fullest, most = "", ZERO_MONEY
    held = {ticker for _, ticker, _ in state.portfolio.held(strategy)}
    held |= {each.intent.ticker for each in _orders(state, strategy)}
    events = {state.listings[each].event_ticker for each in held if each in state.listings}
    for event in sorted(events):
        tickers = list(state.events[event])
        orders = [each for each in _orders(state, strategy) if each.intent.ticker in tickers]
        opening = opening_cost(state.portfolio, orders, strategy, lambda each: each.open_count)
        used = state.portfolio.cost(tickers, strategy) + opening
        if used > most:
            fullest, most = event, used
    return fullest, most


def _largest_position(state: State, strategy: str | None) -> tuple[str, Count]:
    fullest, most = "", 0
    held = {ticker for _, ticker, _ in state.portfolio.held(strategy)}
    held |= {each.intent.ticker for each in _orders(state, strategy)}
    places = [(ticker, place) for ticker in sorted(held) for place in sorted(state.subaccounts)]
    for ticker, place in places:
        net = state.portfolio.net(ticker, strategy, subaccount=place).units
        coming = {1: 0, -1: 0}
        for each in _orders(state, strategy):
            if (each.intent.ticker, each.intent.subaccount) == (ticker, place):
                coming[each.intent.side.sign] += each.open_count.units
        worst = max(net + coming[1], -net + coming[-1])
        if worst > most:
            fullest, most = ticker, worst
    return fullest, Count(most)


def _units(value: Money | Count | int) -> int:
    return value if isinstance(value, int) else value.units
