"""`report --weekly`: how trading went, from the books and the decision log, an earlier period beside it.

The money comes from the books alone.  The decision log adds what the exchange does
not know: at which price and moment an order was decided, and what people did by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId, OrderId
from trueup.core.instant import DAY, SECOND, Instant, eastern_day, format_instant, parse_instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_MONEY, Money, Price, Ratio
from trueup.ledger.accounts import Account as Ledger
from trueup.ledger.entries import Entry, RoundTrip
from trueup.ledger.performance import (
    Drawdown,
    Flow,
    Point,
    Trades,
    by_name,
    closed_between,
    correlation,
    curve,
    daily,
    drawdown,
    gain,
    net_return,
    time_weighted_return,
    trades_of,
)
from trueup.run.books.account import Account
from trueup.run.bot.decision_log import read_decisions
from trueup.run.views import Row

_LINES_AT_ONCE: Final = 10_000
_BY_HAND: Final = frozenset({"pause", "resume", "kill", "flatten", "cancel", "rearm", "withdraw"})
UNTAGGED: Final = "untagged"


@dataclass(frozen=True, slots=True)
class Decided:
    """What the decision log says of a period."""

    references: Mapping[ClientOrderId, tuple[Instant, Price | None]]
    """When each order that was sent was decided, and at which YES price."""
    markets: frozenset[str]
    overrides: int
    """What people told the bot: pauses, cancels, kills …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period of an account."""

    since: Instant
    until: Instant
    trades: Trades
    gain: Money
    """What was earned in the period: closed parts of positions, after all fees."""
    fees: Money
    net_return: Ratio | None
    time_weighted: Ratio | None
    drawdown: Drawdown | None
    slippage: Ratio | None
    """Dollars per filled order worse than the price it was decided at."""
    seconds: Ratio | None
    """From the decision to the exchange's order, on average."""
    orders: int
    markets: int
    manual_orders: int | None
    """Orders that no line of the decision log knows; `None` where there is no log."""
    overrides: int
    points: tuple[Point, ...]
    flows: tuple[Flow, ...]
    by_strategy: Mapping[str, Trades]
    by_category: Mapping[str, Trades]
    correlations: tuple[tuple[str, str, Ratio | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A period with an earlier one of the same length beside it, and what is open now."""

    now: Period
    earlier: Period
    unrealized: Money | None
    open_positions: int
    watched: int | None = None
    """How many markets the bot followed at once, where that is known."""


@dataclass(slots=True)
class _Facts:
    """What the books hold, read once for both periods."""

    trips: list[RoundTrip]
    fills: list[Filled]
    orders: dict[OrderId, OrderReported]
    earned: list[tuple[Instant, Money]]
    fees: list[tuple[Instant, Money]]
    flows: list[Flow]
    names: Mapping[OrderId, ClientOrderId] = field(default_factory=dict[OrderId, ClientOrderId])


def report_of(
    account: Account,
    decisions: Path,
    *,
    since: Instant,
    until: Instant,
    watched: int | None = None,
) -> Report:
    """The report of a period of this account."""
    facts = _read(account)
    length = until - since
    positions = account.books.totals().open_positions
    marks = [each["unrealized_pnl"] for each in account.positions()]
    known = [each for each in marks if isinstance(each, Money)]
    return Report(
        now=_period(account, facts, decisions, since=since, until=until),
        earlier=_period(
            account, facts, decisions, since=Instant(max(0, since - length)), until=since
        ),
        unrealized=sum(known, ZERO_MONEY) if len(known) == len(marks) else None,
        open_positions=positions,
        watched=watched,
    )


def _read(account: Account) -> _Facts:
    books = account.books
    rows = list(books.pnl_rows())
    return _Facts(
        trips=list(books.trades()),
        fills=list(books.fills()),
        orders={each.order_id: each for each in books.orders_by_id()},
        earned=[(row.hour, row.realized - row.fees) for row in rows],
        fees=[(row.hour, row.fees) for row in rows],
        flows=list(_flows(books.cash_entries())),
        names=books.client_order_ids(),
    )


def _flows(entries: Iterable[Entry]) -> Iterator[Flow]:
    """Money from outside: deposits, withdrawals, and what was there at the opening."""
    for entry in entries:
        outside = -sum(
            posting.money.units
            for posting in entry.postings
            if posting.account in {Ledger.DEPOSITS, Ledger.OPENING}
        )
        if outside:
            yield Flow(entry.at, Money(outside))


def _period(
    account: Account, facts: _Facts, decisions: Path, *, since: Instant, until: Instant
) -> Period:
    trips = closed_between(facts.trips, since, until)
    decided = read_decided(decisions, since, until)
    flows = tuple(
        Flow(Instant(max(x.at, since + 1)), x.amount) for x in facts.flows if since <= x.at < until
    )
    points = _points(facts, since, until)
    orders = [each for each in facts.orders.values() if since <= each.created_at < until]
    days = _days(since, until)
    earned = daily(trips, days, eastern_day)
    naming = account.naming()
    fills = [each for each in facts.fills if since <= each.at < until]
    return Period(
        since=since,
        until=until,
        trades=trades_of(trips),
        gain=gain(points, flows),
        fees=Money(sum(fee.units for at, fee in facts.fees if since <= at < until)),
        net_return=net_return(points, flows),
        time_weighted=time_weighted_return(points, flows),
        drawdown=drawdown(points, flows),
        slippage=slippage(fills, facts.names, decided),
        seconds=seconds_per_decision(orders, decided),
        orders=len(orders),
        markets=len(decided.markets | {each.ticker for each in fills}),
        manual_orders=sum(each.client_order_id not in decided.references for each in orders)
        if decisions.exists()
        else None,
        overrides=decided.overrides,
        points=points,
        flows=flows,
        by_strategy=by_name(trips, lambda trip: trip.strategy or UNTAGGED),
        by_category=by_name(trips, lambda trip: naming.category(trip.ticker, trip.strategy)),
        correlations=tuple(
            (one or UNTAGGED, other or UNTAGGED, correlation(earned[one], earned[other]))
            for one, other in combinations(earned, 2)
        ),
    )


def _points(facts: _Facts, since: Instant, until: Instant) -> tuple[Point, ...]:
    """The account at what it has paid for its positions, from the period's beginning on."""
    before = sum(amount.units for at, amount in facts.earned if at < since)
    before += sum(each.amount.units for each in facts.flows if each.at < since)

    def inside(at: Instant) -> Instant:
        # What was earned in the first moment belongs to the period, not to its start.
        return Instant(max(at, since + 1))

    return curve(
        Point(since, Money(before)),
        [(inside(at), amount) for at, amount in facts.earned if since <= at < until],
        [Flow(inside(x.at), x.amount) for x in facts.flows if since <= x.at < until],
    )


def _days(since: Instant, until: Instant) -> list[str]:
    days = dict.fromkeys(eastern_day(Instant(at)) for at in range(since, until, DAY))
    return list(days)


# -- the decision log --------------------------------------------------------------------------


def read_decided(path: Path, since: Instant, until: Instant) -> Decided:
    """What the log says of a period; an absent log says nothing."""
    references: dict[ClientOrderId, tuple[Instant, Price | None]] = {}
    markets: set[str] = set()
    overrides = 0
    after = 0
    while lines := read_decisions(path, after=after, limit=_LINES_AT_ONCE):
        after = int(lines[-1]["n"])
        for line in lines:
            at = parse_instant(str(line["at"]))
            if not since <= at < until:
                continue
            overrides += str(line.get("command", "")) in _BY_HAND
            if line.get("ticker"):
                markets.add(str(line["ticker"]))
            if line.get("verdict") in {"sent", "amended"} and line.get("client_order_id"):
                told = line.get("reference")
                reference = Price.parse(told) if isinstance(told, str) else None
                references.setdefault(ClientOrderId(line["client_order_id"]), (at, reference))
    return Decided(references, frozenset(markets), overrides)


def slippage(
    fills: Iterable[Filled], names: Mapping[OrderId, ClientOrderId], decided: Decided
) -> Ratio | None:
    """Dollars that a filled order paid more (or got less) than it was decided at, on average.

    Negative is better than decided.  `None` where the log knows none of the orders.
    """
    worse, orders = 0, set[ClientOrderId]()
    for fill in fills:
        name = names.get(fill.order_id)
        known = None if name is None else decided.references.get(name)
        if name is None or known is None or known[1] is None:
            continue
        orders.add(name)
        apart = fill.price.units - known[1].units
        worse += (apart if fill.side is Side.YES else -apart) * fill.count.units
    return Ratio(worse, len(orders) * 1_000_000) if orders else None


def seconds_per_decision(orders: Iterable[OrderReported], decided: Decided) -> Ratio | None:
    """Seconds from the decision to the order's own time at the exchange, on average."""
    waits: list[int] = []
    for order in orders:
        known = decided.references.get(order.client_order_id)
        if known is not None:
            waits.append(max(0, order.created_at - known[0]))
    return Ratio(sum(waits), len(waits) * SECOND) if waits else None


# -- as rows -----------------------------------------------------------------------------------


def document(report: Report) -> dict[str, Any]:
    """Everything of a report as exact values by name."""
    return {
        "period": _period_row(report.now, report.watched),
        "earlier": _period_row(report.earlier, None),
        "open_positions": report.open_positions,
        "unrealized": report.unrealized,
        "equity": [
            {"at": format_instant(each.at), "equity": each.equity} for each in report.now.points
        ],
    }


def _period_row(period: Period, watched: int | None) -> Row:
    fallen = period.drawdown
    return {
        "since": format_instant(period.since),
        "until": format_instant(period.until),
        **trades_row(period.trades),
        "gain": period.gain,
        "fees": period.fees,
        "net_return": period.net_return,
        "time_weighted_return": period.time_weighted,
        "drawdown": None if fallen is None else fallen.amount,
        "drawdown_share": None if fallen is None else fallen.share,
        "slippage_per_order": period.slippage,
        "seconds_per_decision": period.seconds,
        "orders": period.orders,
        "manual_orders": period.manual_orders,
        "overrides": period.overrides,
        "markets": period.markets,
        "markets_watched": watched,
        "deposits": Money(sum(each.amount.units for each in period.flows)),
        "by_strategy": {name: trades_row(each) for name, each in period.by_strategy.items()},
        "by_category": {name: trades_row(each) for name, each in period.by_category.items()},
        "correlations": [
            {"one": one, "other": other, "correlation": found}
            for one, other, found in period.correlations
        ],
    }


def trades_row(trades: Trades) -> Row:
    """The figures of some trades."""
    return {
        "trades": trades.number,
        "winners": trades.winners,
        "losers": trades.losers,
        "win_rate": trades.win_rate,
        "mean_winner": trades.mean_winner,
        "mean_loser": trades.mean_loser,
        "reward_to_risk": trades.reward_to_risk,
        "profit": trades.profit,
        "trade_fees": trades.fees,
        "cost": trades.cost,
    }
