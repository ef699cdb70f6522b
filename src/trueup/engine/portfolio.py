"""What every strategy holds, from its own fills; a view, never a second truth.

Each subaccount is a position of its own, as at the exchange: YES here and NO there
do not cancel each other.  Within one, positions are split by strategy with the same
rule that the ledger uses (`core.position.trade`), so their sum over all strategies is
the exchange's position.  Fills of orders that are not ours belong to the strategy
`FOREIGN`: they count against the account's limits and nobody trades them.

A fill is counted once, by (trade id, order id), however often and on whatever
way it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.core.facts import Filled
from trueup.core.ids import OrderId, Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout
from trueup.core.position import FLAT, Position, trade
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price

FOREIGN: Final = ""
"""The strategy of orders that somebody else placed on the account."""

DIRECT_STEP: Final = Money(100)
"""$0.0001: how finely the balance of a direct member moves."""

Key = tuple[str, Subaccount, Ticker]
"""A strategy, the subaccount that it trades on, and a market."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one strategy holds and has earned in one market.  Fees are not in `realized`."""

    position: Position = FLAT
    realized: Money = ZERO_MONEY
    fees: Money = ZERO_MONEY

    def worth(self, mark: Price | None) -> Money:
        """What the position would bring at the YES price `mark`; at cost where it is unknown."""
        net = self.position.net
        if not net:
            return ZERO_MONEY
        if mark is None:
            return self.position.cost
        return (mark if net > ZERO_COUNT else mark.complement()) * abs(net)

    def profit(self, mark: Price | None) -> Money:
        """Realised and unrealised, after fees."""
        return self.realized - self.fees + self.worth(mark) - self.position.cost

    def after(self, fill: Filled) -> Holding:
        """The holding with a fill counted in."""
        change = trade(self.position, fill.side, fill.count, fill.price)
        fee = ZERO_MONEY if fill.fee is None else fill.fee
        return Holding(change.after, self.realized + change.realized, self.fees + fee)


@dataclass(frozen=True, slots=True)
class _Spent:
    """What a fill took out of a pot (below zero: brought) that was read before it."""

    at: Instant
    amount: Money


@dataclass(frozen=True, slots=True)
class Pot:
    """The cash available in one subaccount on one shard, as last read."""

    available: Money
    at: Instant


@dataclass(frozen=True, slots=True)
class Payment:
    """What a market paid per YES contract, and when we first heard of it."""

    value: Price
    at: Instant


@dataclass(slots=True)
class _Others:
    """What somebody else did in one place: holdings from before what can be read, and fills."""

    before: Position = FLAT
    fills: dict[tuple[TradeId, OrderId], Filled] = field(
        default_factory=dict[tuple[TradeId, OrderId], Filled]
    )


class Portfolio:
    """Holdings by strategy, subaccount and market, and cash by subaccount and shard.

    `balance_step` is how finely the member's balance moves.
    """

    def __init__(self, balance_step: Money = DIRECT_STEP) -> None:
        self._step = balance_step
        self._holdings: dict[Key, Holding] = {}
        self._open: dict[Key, Holding] = {}
        """Those of `_holdings` that are not flat."""
        self._costs: dict[str, int] = {}
        """By strategy, what all its open holdings cost, in `Money` units: every order asks."""
        self._banked: dict[str, Money] = {}
        """By strategy, what all its holdings realised, after fees."""
        self._owners: dict[Ticker, dict[Key, None]] = {}
        self._seen: dict[Ticker, set[tuple[TradeId, OrderId]]] = {}
        self._payments: dict[Ticker, Payment] = {}
        self._unpaid: dict[Key, Holding] = {}
        """Holdings of settled markets as they would be if nothing had been paid."""
        self._others: dict[tuple[Subaccount, Ticker], _Others] = {}
        self._pots: dict[tuple[Subaccount, Shard], Pot] = {}
        self._spent: dict[tuple[Subaccount, Shard], list[_Spent]] = {}

    # -- facts -----------------------------------------------------------------------------

    def has_seen(self, fill: Filled) -> bool:
        """Whether this fill was counted already (or its market is settled and forgotten)."""
        return (fill.trade_id, fill.order_id) in self._seen.get(fill.ticker, ())

    def book(self, fill: Filled, strategy: str, *, reserved_at: Instant | None = None) -> Holding:
        """Count a fill for a strategy.  The caller asks `has_seen` first.

        `reserved_at` is since when its order has tied its cost up by resting; `None` if it
        did not rest, or nobody knows.
        """
        self._spend(fill, reserved_at)
        self._seen.setdefault(fill.ticker, set()).add((fill.trade_id, fill.order_id))
        if strategy == FOREIGN:
            others = self._others.setdefault((fill.subaccount, fill.ticker), _Others())
            others.fills[fill.trade_id, fill.order_id] = fill
        return self._count(fill, strategy)

    def _count(self, fill: Filled, strategy: str) -> Holding:
        key = (strategy, fill.subaccount, fill.ticker)
        if fill.ticker in self._payments:
            self._unpaid[key] = self._unpaid.get(key, Holding()).after(fill)
            self._owners.setdefault(fill.ticker, {})[key] = None
            self._pay(fill.subaccount, fill.ticker)
        else:
            self._put(key, self._holdings.get(key, Holding()).after(fill))
        return self._holdings[key]

    def claim(
        self, order_id: OrderId, strategy: str, subaccount: Subaccount, ticker: Ticker
    ) -> list[Filled]:
        """Give a strategy the fills of an order that had been taken for somebody else's.

        Returns them, oldest first.
        """
        others = self._others.get((subaccount, ticker))
        if others is None:
            return []
        ours = [each for each in others.fills.values() if each.order_id == order_id]
        if not ours:
            return []
        for each in ours:
            del others.fills[each.trade_id, each.order_id]
        left = Holding(others.before)
        for each in others.fills.values():
            left = left.after(each)
        key = (FOREIGN, subaccount, ticker)
        if ticker in self._payments:
            self._unpaid[key] = left
            self._pay(subaccount, ticker)
        else:
            self._put(key, left)
        for each in ours:
            self._count(each, strategy)
        return ours

    def adopt(self, subaccount: Subaccount, ticker: Ticker, net: Count, price: Price) -> None:
        """Count contracts that no fill tells of (+ YES, − NO), bought at the YES price `price`.

        They are somebody else's as far as strategies are concerned, and the account's.
        """
        side = Side.YES if net > ZERO_COUNT else Side.NO
        others = self._others.setdefault((subaccount, ticker), _Others())
        others.before = trade(others.before, side, abs(net), price).after
        key = (FOREIGN, subaccount, ticker)
        held = self._holdings.get(key, Holding())
        change = trade(held.position, side, abs(net), price)
        self._put(key, replace(held, position=change.after))

    def settle(self, ticker: Ticker, value: Price, at: Instant) -> bool:
        """Pay every strategy's position in a market.  Exposure is free at once.

        A fill that arrives late is settled when it comes, and another value later is a
        revision: everybody is paid anew.  Returns whether it is one.  The exchange pays
        each subaccount's net position, cut down to the member's balance step; what it
        cuts off goes to the largest holder, as in the ledger.
        """
        known = self._payments.get(ticker)
        self._payments[ticker] = Payment(value, at if known is None else known.at)
        if known is not None and known.value == value:
            return False
        if known is None:
            for key in self._owners.get(ticker, ()):
                self._unpaid[key] = self._holdings[key]
        for subaccount in {key[1] for key in self._owners.get(ticker, ())}:
            self._pay(subaccount, ticker)
        return known is not None

    def _pay(self, subaccount: Subaccount, ticker: Ticker) -> None:
        value = self._payments[ticker].value
        owners = sorted(key for key in self._owners.get(ticker, ()) if key[1] == subaccount)
        nets = [self._unpaid[key].position.net for key in owners]
        cut = self._cut(sum(nets, ZERO_COUNT), value)
        largest = max(abs(net) for net in nets)
        for key, net in zip(owners, nets, strict=True):
            paid = gross_payout(net, value)
            if cut and abs(net) == largest:
                paid -= cut
                cut = ZERO_MONEY
            held = self._unpaid[key]
            realized = held.realized + paid - held.position.cost
            self._put(key, replace(held, position=FLAT, realized=realized))

    def _cut(self, net: Count, value: Price) -> Money:
        gross = gross_payout(net, value)
        return gross - gross.floor_to(self._step)

    def read_balance(self, stated: BalanceStated, as_of: Instant | None = None) -> None:
        """Remember a reading of one subaccount on one shard; others do not say where cash is.

        It knows of everything until the later of its own time and `as_of`.
        """
        if stated.subaccount is None or stated.shard is None:
            return
        key = (stated.subaccount, stated.shard)
        known = self._pots.get(key)
        at = stated.at if as_of is None else max(stated.at, as_of)
        if known is None or known.at <= at:
            self._pots[key] = Pot(stated.low, at)
            later = [each for each in self._spent.get(key, ()) if each.at > at]
            self._spent[key] = later

    def _spend(self, fill: Filled, reserved_at: Instant | None) -> None:
        place = (fill.subaccount, fill.shard)
        pot = self._pots.get(place)
        if pot is None or fill.at <= pot.at:
            return
        net = self.net(fill.ticker, subaccount=fill.subaccount)
        closed = Count(max(0, min(-fill.side.sign * net.units, fill.count.units)))
        own = fill.price if fill.side is Side.YES else fill.price.complement()
        # What rested when the pot was read is missing from it already.
        is_missing = reserved_at is not None and reserved_at < pot.at
        cost = ZERO_MONEY if is_missing else own * (fill.count - closed)
        fee = ZERO_MONEY if fill.fee is None else fill.fee
        spent = _Spent(fill.at, cost + fee - own.complement() * closed)
        self._spent.setdefault(place, []).append(spent)

    def _put(self, key: Key, held: Holding) -> None:
        before = self._holdings.get(key)
        earned = held.realized - held.fees
        if before is not None:
            earned -= before.realized - before.fees
        self._banked[key[0]] = self._banked.get(key[0], ZERO_MONEY) + earned
        self._holdings[key] = held
        was_open = self._open.get(key)
        cost = held.position.cost.units if held.position.net else 0
        cost -= 0 if was_open is None else was_open.position.cost.units
        self._costs[key[0]] = self._costs.get(key[0], 0) + cost
        if held.position.net:
            self._open[key] = held
        else:
            self._open.pop(key, None)
        if before is None:
            self._owners.setdefault(key[2], {})[key] = None

    # -- questions -------------------------------------------------------------------------

    def holding(self, strategy: str, subaccount: Subaccount, ticker: Ticker) -> Holding:
        """What a strategy holds in a market, and has earned there."""
        return self._holdings.get((strategy, subaccount, ticker), _NOTHING)

    def net(
        self, ticker: Ticker, strategy: str | None = None, *, subaccount: Subaccount | None = None
    ) -> Count:
        """The net position in a market: a strategy's or everybody's (`None`).

        On one subaccount, or added up over all (`None`).
        """
        if strategy is not None and subaccount is not None:
            held = self._open.get((strategy, subaccount, ticker))
            return ZERO_COUNT if held is None else held.position.net
        total = 0
        for key in self._owners.get(ticker, ()):
            if strategy in {None, key[0]} and subaccount in {None, key[1]}:
                held = self._open.get(key)
                total += 0 if held is None else held.position.net.units
        return Count(total)

    def held(self, strategy: str | None = None) -> Iterator[tuple[str, Ticker, Holding]]:
        """Every position that is not flat: whose it is, where, and what."""
        for (owner, _, ticker), holding in self._open.items():
            if strategy in {None, owner}:
                yield owner, ticker, holding

    def positions(self, strategy: str | None = None) -> list[tuple[Key, Holding]]:
        """Every position that is not flat, by strategy, subaccount and market."""
        return [(key, held) for key, held in self._open.items() if strategy in {None, key[0]}]

    def held_in(self, ticker: Ticker) -> list[tuple[Key, Holding]]:
        """What everybody holds, or held, in a market."""
        return [(key, self._holdings[key]) for key in self._owners.get(ticker, ())]

    def open_on(self, subaccount: Subaccount) -> Iterator[Ticker]:
        """The markets in which somebody holds something on a subaccount."""
        found = (ticker for _, place, ticker in self._open if place == subaccount)
        yield from dict.fromkeys(found)

    def cost(self, tickers: Iterable[Ticker] | None = None, strategy: str | None = None) -> Money:
        """What the open positions cost: in some markets or in all, of one strategy or of all."""
        if tickers is None:
            if strategy is None:
                return Money(sum(self._costs.values()))
            return Money(self._costs.get(strategy, 0))
        total = 0
        for ticker in tickers:
            for key in self._owners.get(ticker, ()):
                if strategy in {None, key[0]} and (held := self._open.get(key)) is not None:
                    total += held.position.cost.units
        return Money(total)

    def profit(self, marks: Mapping[Ticker, Price | None], strategy: str | None = None) -> Money:
        """Profit after fees, open positions at their marks: of one strategy or of all ours.

        What somebody else does on the account is not our profit.
        """
        total = 0
        for owner, banked in self._banked.items():
            if owner != FOREIGN and strategy in {None, owner}:
                total += banked.units
        for (owner, _, ticker), held in self._open.items():
            if owner != FOREIGN and strategy in {None, owner}:
                total += held.worth(marks.get(ticker)).units - held.position.cost.units
        return Money(total)

    def earned(self, strategy: str) -> tuple[Money, Money]:
        """What a strategy has realised, before fees, and the fees."""
        mine = [each for key, each in self._holdings.items() if key[0] == strategy]
        realized = sum((each.realized for each in mine), ZERO_MONEY)
        return realized, sum((each.fees for each in mine), ZERO_MONEY)

    def is_settled(self, ticker: Ticker) -> bool:
        """Whether the market has paid."""
        return ticker in self._payments

    def paid_since(self, at: Instant) -> list[Ticker]:
        """The markets that somebody held and that paid, as first heard at `at` or later."""
        return [ticker for ticker, each in self._payments.items() if each.at >= at]

    def pot(self, subaccount: Subaccount, shard: Shard) -> Pot | None:
        """The cash last read there; `None` when it was never read."""
        return self._pots.get((subaccount, shard))

    def spent(self, subaccount: Subaccount, shard: Shard) -> Money:
        """What fills took out of that cash since it was read."""
        spent = self._spent.get((subaccount, shard), ())
        return sum((each.amount for each in spent), ZERO_MONEY)

    def pots(self) -> Mapping[tuple[Subaccount, Shard], Pot]:
        """All cash last read, by place."""
        return self._pots


_NOTHING: Final = Holding()
