"""The checks that every order passes before it becomes an intent.

Each check looks at the order and its `Case` and returns a `Refusal` with the
figures it saw, or `None`.  All of them are asked, so that the decision log
names every reason at once.  Exposure is counted at its worst: as if every open
order had filled already, and fills on their way had arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import MINUTE, Instant, format_age, format_instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.engine.exposure import opening_cost
from trueup.engine.inflight import Inflight, OwnOrder
from trueup.engine.limits import FirstHours, Limits
from trueup.engine.market import Listing, Top
from trueup.engine.portfolio import Portfolio
from trueup.engine.refusals import Code, Refusal
from trueup.engine.wishes import Order, Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One of the two points of view: a strategy's own, or the whole account's.

    `strategy` is `None` for the account.  `sent` are the times of the orders
    sent within the last minute.  `capital` is the money given to a strategy.
    """

    name: str
    strategy: str | None
    limits: Limits
    sent: Sequence[Instant]
    capital: Money | None = None
    first_hours: FirstHours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that the checks of one order may look at."""

    now: Instant
    order: Order
    strategy: str
    listing: Listing
    top: Top | None
    portfolio: Portfolio
    inflight: Inflight
    siblings: Sequence[Listing]
    """The markets of the same event, this one included."""
    subaccount: Subaccount
    """Where the order goes: what is held and ordered on another one is another position."""
    replaces: OwnOrder | None = None
    """The resting order that this one takes the place of; it does not count."""
    # Several checks ask the same of one moment: what has been added up is kept.
    _coming: dict[tuple[str | None, Side], Count] = field(
        init=False, repr=False, compare=False, default_factory=dict[tuple[str | None, Side], Count]
    )
    _opening: dict[str | None, Count] = field(
        init=False, repr=False, compare=False, default_factory=dict[str | None, Count]
    )
    exposures: dict[tuple[str | None, bool], Money] = field(
        init=False, repr=False, compare=False, default_factory=dict[tuple[str | None, bool], Money]
    )

    def coming(self, strategy: str | None, side: Side) -> Count:
        """What may still come in on a side of this market: from open orders, and from fills
        that are on their way.  Of the order that is replaced only the latter count.
        """
        known = self._coming.get((strategy, side))
        if known is not None:
            return known
        total = 0
        for each in self.inflight.unsettled(self.order.ticker):
            intent = each.intent
            is_here = intent.side is side and intent.subaccount == self.subaccount
            if is_here and strategy in {None, intent.strategy}:
                total += self.counted(each).units
        found = self._coming[strategy, side] = Count(total)
        return found

    def counted(self, order: OwnOrder) -> Count:
        """What may still come in from one order."""
        is_replaced = (
            self.replaces is not None
            and order.intent.client_order_id == self.replaces.intent.client_order_id
        )
        return order.missing if is_replaced else order.open_count

    def opening(self, strategy: str | None) -> Count:
        """The part of the order that would open or enlarge a position: a strategy's, or
        (`None`) the account's.

        What other open orders would already close counts as closed.  One strategy may
        close while the account opens, when another one holds the other side.
        """
        known = self._opening.get(strategy)
        if known is None:
            left = max(0, self.order.count.units - self.closable(strategy).units)
            known = self._opening[strategy] = Count(left)
        return known

    def closable(self, strategy: str | None) -> Count:
        """What is held on the other side and not yet closed by other open orders."""
        net, side = self.net(strategy), self.order.side
        return Count(max(0, -side.sign * net.units - self.coming(strategy, side).units))

    def net(self, strategy: str | None) -> Count:
        """The net position on the order's subaccount: a strategy's, or everybody's (`None`)."""
        return self.portfolio.net(self.order.ticker, strategy, subaccount=self.subaccount)

    @property
    def own_price(self) -> Price:
        """What one contract of the order's side costs at the limit."""
        limit = self.order.limit
        return limit if self.order.side is Side.YES else limit.complement()


Verdict = Refusal | None


def check(case: Case, scopes: Iterable[Scope]) -> tuple[Refusal, ...]:
    """Every reason against the order; none means that it may be sent."""
    found = [refusal for each in _ORDER_CHECKS if (refusal := each(case)) is not None]
    for scope in scopes:
        for each in _SCOPE_CHECKS:
            refusal = each(case, scope)
            if refusal is not None:
                found.append(refusal)
        if case.opening(scope.strategy):
            for each in _OPENING_CHECKS:
                refusal = each(case, scope)
                if refusal is not None:
                    found.append(refusal)
    return tuple(found)


# -- the order itself --------------------------------------------------------------------------


def _market_open(case: Case) -> Verdict:
    status = case.listing.status
    closes = case.listing.market.close_at
    if status is MarketStatus.ACTIVE and (closes is None or case.now < closes):
        return None
    words = status if status is not MarketStatus.ACTIVE else "past its close"
    return Refusal(Code.MARKET_NOT_OPEN, figures={"status": words})


def _on_grid(case: Case) -> Verdict:
    if case.listing.grid.allows(case.order.limit):
        return None
    figures = {"price": str(case.order.limit), "grid": case.listing.grid.label}
    return Refusal(Code.PRICE_OFF_GRID, figures=figures)


def _something_held(case: Case) -> Verdict:
    if not case.order.only_reduce:
        return None
    net = case.net(case.strategy)
    side = case.order.side
    closers = case.coming(case.strategy, side)
    if -side.sign * net.units - closers.units > 0:
        return None
    return Refusal(Code.NOTHING_HELD, figures={"net": str(net), "closing": str(closers)})


def _own_cross(case: Case) -> Verdict:
    order = case.order
    for each in case.inflight.living(order.ticker):
        if each.intent.side is order.side or each is case.replaces:
            continue
        theirs = each.dearest
        crosses = order.limit >= theirs if order.side is Side.YES else order.limit <= theirs
        if crosses:
            figures = {"ours": f"{each.intent.side} {theirs}", "wish": str(order.limit)}
            return Refusal(Code.OWN_CROSS, figures=figures)
    return None


def _cash(case: Case) -> Verdict:
    needed = case.own_price * case.opening(None)
    if not needed:
        return None
    shard = case.listing.market.shard
    pots = case.portfolio.pots()
    if not pots:
        return Refusal(Code.CASH_UNKNOWN)
    place = next(
        (key for key in pots if key[0] == case.subaccount and key[1] == shard),
        None,
    )
    here = ZERO_MONEY if place is None else pots[place].available - _spent_since(case, place)
    if needed <= here:
        return None
    others = {key: pot.available for key, pot in pots.items() if key != place and pot.available}
    elsewhere = sum(others.values(), ZERO_MONEY)
    figures = {
        "needed": needed.dollars(),
        "available": here.dollars(),
        "subaccount": str(case.subaccount),
        "shard": str(shard),
        "elsewhere": ", ".join(
            f"{amount.dollars()} on subaccount {owner}, shard {where}"
            for (owner, where), amount in sorted(others.items())
        )
        or "nothing",
    }
    enough = here + elsewhere >= needed
    return Refusal(Code.WRONG_POT if enough else Code.CASH_FLOOR, figures=figures)


def _spent_since(case: Case, place: tuple[Subaccount, Shard]) -> Money:
    """What was sent and what filled after the balance was read: the reading cannot know it."""
    pot = case.portfolio.pot(*place)
    if pot is None:
        return ZERO_MONEY
    spent = case.portfolio.spent(*place)
    for order in case.inflight.unsettled():
        intent = order.intent
        sent_at = max(intent.at, order.amended_at)
        if (intent.subaccount, intent.shard) == place and sent_at >= pot.at:
            spent += order.own_dearest * case.counted(order)
    return spent


_ORDER_CHECKS: Final[tuple[Callable[[Case], Verdict], ...]] = (
    _market_open,
    _on_grid,
    _something_held,
    _own_cross,
    _cash,
)


# -- limits that hold for every order ----------------------------------------------------------


def _price_band(case: Case, scope: Scope) -> Verdict:
    limits = scope.limits
    if not case.opening(scope.strategy) or limits.price_min <= case.own_price <= limits.price_max:
        return None
    figures = {
        "price": str(case.own_price),
        "band": f"{limits.price_min}..{limits.price_max}",
    }
    return Refusal(Code.PRICE_BAND, scope.name, figures)


def _slippage(case: Case, scope: Scope) -> Verdict:
    order = case.order
    if order.reference is None:
        return None
    worse = (order.limit.units - order.reference.units) * order.side.sign
    if worse <= scope.limits.slippage_max:
        return None
    figures = {
        "limit": str(order.limit),
        "decided at": str(order.reference),
        "allowed": str(Price(scope.limits.slippage_max)),
    }
    return Refusal(Code.SLIPPAGE, scope.name, figures)


def _order_size(case: Case, scope: Scope) -> Verdict:
    most = scope.limits.order_count_max
    if case.order.count <= most:
        return None
    return Refusal(
        Code.ORDER_SIZE, scope.name, {"count": str(case.order.count), "allowed": str(most)}
    )


def _open_orders(case: Case, scope: Scope) -> Verdict:
    if case.order.style is Style.TAKE or case.replaces is not None:
        return None
    living = [
        each for each in case.inflight.living() if scope.strategy in {None, each.intent.strategy}
    ]
    if len(living) < scope.limits.open_orders_max:
        return None
    figures = {"open": str(len(living)), "allowed": str(scope.limits.open_orders_max)}
    return Refusal(Code.OPEN_ORDERS, scope.name, figures)


def _order_rate(case: Case, scope: Scope) -> Verdict:
    if len(scope.sent) < scope.limits.orders_per_minute_max:
        return None
    recent = sum(1 for at in scope.sent if case.now - at < MINUTE)
    if recent < scope.limits.orders_per_minute_max:
        return None
    figures = {"last minute": str(recent), "allowed": str(scope.limits.orders_per_minute_max)}
    return Refusal(Code.ORDER_RATE, scope.name, figures)


def _quote_age(case: Case, scope: Scope) -> Verdict:
    age = None if case.top is None else case.now - case.top.at
    if age is not None and age <= scope.limits.quote_age_max:
        return None
    figures = {
        "age": "–" if age is None else format_age(age),
        "allowed": format_age(scope.limits.quote_age_max),
    }
    return Refusal(Code.QUOTE_STALE, scope.name, figures)


_SCOPE_CHECKS: Final[tuple[Callable[[Case, Scope], Verdict], ...]] = (
    _price_band,
    _slippage,
    _order_size,
    _open_orders,
    _order_rate,
    _quote_age,
)


# -- limits that guard new positions -----------------------------------------------------------


def _position(case: Case, scope: Scope) -> Verdict:
    most = scope.limits.position_max
    if most is None:
        return None
    side = case.order.side
    net = case.net(scope.strategy)
    coming = case.coming(scope.strategy, side)
    worst = side.sign * net.units + coming.units + case.order.count.units
    if worst <= most.units:
        return None
    figures = {
        "net": str(net),
        "open orders": str(coming),
        "count": str(case.order.count),
        "allowed": str(most),
    }
    return Refusal(Code.POSITION_LIMIT, scope.name, figures)


def _exposure_of(case: Case, scope: Scope, listings: Sequence[Listing] | None) -> Money:
    """Cost of the positions and of all open orders, of an event or of everything."""
    key = (scope.strategy, listings is None)
    known = case.exposures.get(key)
    if known is None:
        known = case.exposures[key] = _exposure(case, scope, listings)
    return known


def _exposure(case: Case, scope: Scope, listings: Sequence[Listing] | None) -> Money:
    if listings is None:
        tickers, orders = None, case.inflight.unsettled()
    else:
        tickers = [each.ticker for each in listings]
        orders = [each for ticker in tickers for each in case.inflight.unsettled(ticker)]
    mine = [each for each in orders if scope.strategy in {None, each.intent.strategy}]
    opening = opening_cost(case.portfolio, mine, scope.strategy, case.counted)
    return case.portfolio.cost(tickers, scope.strategy) + opening


def _event_exposure(case: Case, scope: Scope) -> Verdict:
    most = scope.limits.event_exposure_max
    if most is None:
        return None
    return _exposure_verdict(
        case, scope, Code.EVENT_EXPOSURE, so_far=_exposure_of(case, scope, case.siblings), most=most
    )


def _total_exposure(case: Case, scope: Scope) -> Verdict:
    most = scope.limits.exposure_max
    if most is None:
        return None
    return _exposure_verdict(
        case, scope, Code.EXPOSURE, so_far=_exposure_of(case, scope, None), most=most
    )


def _capital(case: Case, scope: Scope) -> Verdict:
    if scope.capital is None:
        return None
    return _exposure_verdict(
        case, scope, Code.CAPITAL, so_far=_exposure_of(case, scope, None), most=scope.capital
    )


def _exposure_verdict(
    case: Case, scope: Scope, code: Code, *, so_far: Money, most: Money
) -> Verdict:
    added = case.own_price * case.opening(scope.strategy)
    if so_far + added <= most:
        return None
    figures = {"so far": so_far.dollars(), "order": added.dollars(), "allowed": most.dollars()}
    return Refusal(code, scope.name, figures)


def _first_hours(case: Case, scope: Scope) -> Verdict:
    caps = scope.first_hours
    if caps is None or case.now >= caps.until:
        return None
    until = format_instant(caps.until)
    count = case.opening(None)
    if count > caps.order_count_max:
        figures = {"count": str(count), "allowed": str(caps.order_count_max), "until": until}
        return Refusal(Code.FIRST_HOURS, scope.name, figures)
    refusal = _exposure_verdict(
        case,
        scope,
        Code.FIRST_HOURS,
        so_far=_exposure_of(case, scope, None),
        most=caps.exposure_max,
    )
    return (
        None if refusal is None else replace(refusal, figures={**refusal.figures, "until": until})
    )


def _cash_floor(case: Case, scope: Scope) -> Verdict:
    if not scope.limits.cash_floor or scope.strategy is not None:
        return None
    pots = case.portfolio.pots()
    total = sum((pots[each].available - _spent_since(case, each) for each in pots), ZERO_MONEY)
    left = total - case.own_price * case.opening(None)
    if left >= scope.limits.cash_floor:
        return None
    figures = {"left": left.dollars(), "floor": scope.limits.cash_floor.dollars()}
    return Refusal(Code.CASH_FLOOR, scope.name, figures)


def _volume(case: Case, scope: Scope) -> Verdict:
    least = scope.limits.volume_min
    volume = ZERO_COUNT if case.top is None else case.top.volume_24h
    if volume >= least:
        return None
    figures = {"volume of 24 h": str(volume), "at least": str(least)}
    return Refusal(Code.VOLUME, scope.name, figures)


def _expiry(case: Case, scope: Scope) -> Verdict:
    closes = case.listing.market.close_at
    if not scope.limits.expiry_min or closes is None:
        return None
    left = closes - case.now
    if left >= scope.limits.expiry_min:
        return None
    figures = {"left": format_age(left), "at least": format_age(scope.limits.expiry_min)}
    return Refusal(Code.EXPIRY, scope.name, figures)


def _hours(case: Case, scope: Scope) -> Verdict:
    hours = scope.limits.hours
    if hours is None or hours.covers(case.now):
        return None
    return Refusal(Code.HOURS, scope.name, {"hours": f"{hours} Eastern"})


def _category(case: Case, scope: Scope) -> Verdict:
    allowed = scope.limits.categories
    if not allowed or case.listing.category.casefold() in {each.casefold() for each in allowed}:
        return None
    figures = {"category": case.listing.category or "–", "allowed": ", ".join(sorted(allowed))}
    return Refusal(Code.CATEGORY, scope.name, figures)


def _named(case: Case, scope: Scope) -> Verdict:
    limits, listing = scope.limits, case.listing
    if limits.names(listing.ticker, listing.event.series_ticker):
        return None
    named = ", ".join(sorted((*limits.tickers, *limits.series)))
    return Refusal(Code.NOT_NAMED, scope.name, {"market": listing.ticker, "named": named})


_OPENING_CHECKS: Final[tuple[Callable[[Case, Scope], Verdict], ...]] = (
    _position,
    _event_exposure,
    _total_exposure,
    _capital,
    _first_hours,
    _cash_floor,
    _volume,
    _expiry,
    _hours,
    _category,
    _named,
)
