"""What the account holds now: cash, resting orders, positions at their marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trueup.core.catalog import Market, Quote
from trueup.core.facts import OrderReported
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_MONEY, Count, Money, Price, Ratio
from trueup.ledger.report import OpenPosition, mark, open_position
from trueup.run.books.account import Account
from trueup.store.cache import AgedQuote
from trueup.store.listing import Leaf
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

RESTING_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything held, as the books know it."""

    balances: Sequence[BalanceStated]
    positions: Sequence[OpenPosition]
    resting: Sequence[OrderReported]
    markets: Mapping[Ticker, Market]
    quotes: Mapping[Ticker, AgedQuote]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What it is worth.  `None` where a part is not known.

    `value` is the positions' value at their marks; those without one are counted in
    `unmarked` and stand at their cost.
    """

    cash: Money | None
    cash_at: Instant | None
    collateral: Money
    cost: Money
    value: Money
    unmarked: int
    unrealized: Money

    @property
    def exposure(self) -> Money:
        """What positions have cost and resting orders tie up."""
        return self.cost + self.collateral

    @property
    def equity(self) -> Money | None:
        """Cash, tied-up cash and positions."""
        return None if self.cash is None else self.cash + self.collateral + self.value


def holdings(account: Account) -> Holdings:
    """Ask the books."""
    books = account.books
    leaf = Leaf(status="resting", limit=RESTING_MAX)
    held = list(books.market_books(open_only=True))
    tickers = [book.ticker for book in held]
    quotes = books.cache.quotes_of(tickers)
    positions: list[OpenPosition] = []
    for book in held:
        aged = quotes.get(book.ticker)
        position = open_position(book, None if aged is None else aged.quote)
        if position is not None:
            positions.append(position)
    return Holdings(
        balances=books.latest_balances(),
        positions=positions,
        resting=books.list_orders(leaf).rows,
        markets=books.cache.markets_of(tickers),
        quotes=quotes,
    )


def marked(positions: Iterable[OpenPosition], tops: Mapping[Ticker, Quote]) -> list[OpenPosition]:
    """The positions at fresher tops of their markets, where there are some."""
    return [
        replace(each, mark=mark(tops[each.ticker], each.net)) if each.ticker in tops else each
        for each in positions
    ]


def worth(held: Holdings, positions: Sequence[OpenPosition]) -> Worth:
    """What everything is worth, `positions` being those of `held` at their freshest marks."""
    whole = [each for each in held.balances if each.shard is None]
    cash = sum((each.low for each in whole), ZERO_MONEY) if whole else None
    cost = sum((each.cost for each in positions), ZERO_MONEY)
    gains = [each.unrealized for each in positions]
    unrealized = sum((each for each in gains if each is not None), ZERO_MONEY)
    return Worth(
        cash=cash,
        cash_at=min((each.at for each in whole), default=None),
        collateral=sum((tied_up(each) for each in held.resting), ZERO_MONEY),
        cost=cost,
        value=cost + unrealized,
        unmarked=gains.count(None),
        unrealized=unrealized,
    )


def tied_up(order: OrderReported) -> Money:
    """What a resting order would pay for what is left of it."""
    price = order.price if order.side is Side.YES else order.price.complement()
    return price * order.remaining_count


def position_key(subaccount: Subaccount, ticker: Ticker) -> str:
    """The name of a position on the page."""
    return f"{subaccount}/{ticker}"


def position_rows(
    held: Holdings, positions: Iterable[OpenPosition], *, now: Instant, prefix: str = ""
) -> list[TableRow]:
    """A row for each position, the largest cost first."""
    ordered = sorted(positions, key=lambda each: (-each.cost.units, each.ticker))
    return [_row(held, each, now, prefix) for each in ordered]


def _row(held: Holdings, position: OpenPosition, now: Instant, prefix: str) -> TableRow:
    market = held.markets.get(position.ticker)
    quote = held.quotes.get(position.ticker)
    title = "" if market is None else market.title
    return TableRow(
        key=position_key(position.subaccount, position.ticker),
        href=f"{prefix}/position/{position.subaccount}/{position.ticker}",
        cells={
            "market": Shown(position.ticker, title=title),
            "title": shown.words(title),
            "side": side(position.net),
            "quantity": shown.count(abs(position.net)),
            "average": shown.average(average_price(position)),
            "mark": mark_of(position, quote),
            "value": shown.money(value_of(position)),
            "unrealized": shown.money(position.unrealized, signed=True),
            "realized": shown.money(position.realized - position.fees, signed=True),
            "closes": shown.time_left(None if market is None else market.close_at, now),
        },
    )


def live_cells(positions: Iterable[OpenPosition]) -> dict[str, dict[str, Shown]]:
    """The cells of `position_rows` that move with the market."""
    return {
        position_key(each.subaccount, each.ticker): {
            "mark": mark_of(each, None),
            "value": shown.money(value_of(each)),
            "unrealized": shown.money(each.unrealized, signed=True),
        }
        for each in positions
    }


def total_figures(held: Holdings, positions: Sequence[OpenPosition]) -> dict[str, Shown]:
    """The sums over `positions`, those of `held` at their freshest marks."""
    sums = worth(held, positions)
    return {
        "Positions": shown.number(len(held.positions)),
        "Cost": shown.dollars(sums.cost),
        "Value at the marks": shown.dollars(sums.value),
        "Unrealised": shown.dollars(sums.unrealized, signed=True),
        "Tied up by resting orders": shown.dollars(sums.collateral),
    }


def side(net: Count) -> Shown:
    """Which contracts are held, in a word and a colour."""
    if not net:
        return Shown("flat", Tone.MUTED)
    return shown.side("yes" if net.units > 0 else "no")


def average_price(position: OpenPosition) -> Ratio | None:
    """Dollars per contract of the held side."""
    contracts = abs(position.net.units)
    return Ratio(position.cost.units, contracts * 10_000) if contracts else None


def side_mark(position: OpenPosition) -> Price | None:
    """What one contract of the held side is worth."""
    if position.mark is None or position.net.units >= 0:
        return position.mark
    return position.mark.complement()


def mark_of(position: OpenPosition, quote: AgedQuote | None) -> Shown:
    """The mark with its age; a position that nobody quotes has none."""
    found = shown.price(side_mark(position))
    if position.mark is None or quote is None:
        return found
    return replace(found, title=f"quoted at {shown.moment(quote.fetched_at).title}")


def value_of(position: OpenPosition) -> Money | None:
    """What it could be sold for now."""
    gain = position.unrealized
    return None if gain is None else position.cost + gain
