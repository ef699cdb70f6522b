"""What every strategy holds, from its own fills; a view, never a second truth.

Positions are split by strategy with the same rule that the ledger uses
(`core.position.trade`), so their sum over all strategies is the exchange's
position.  Fills of orders that are not ours belong to the strategy `FOREIGN`:
they count against the account's limits and nobody trades them.

A fill is counted once, by (trade id, order id), however often and on whatever
way it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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


class Portfolio:
    """Holdings by strategy and market, and cash by subaccount and shard.

    `balance_step` is how finely the member's balance moves.
    """

    def __init__(self, balance_step: Money = DIRECT_STEP) -> None:
        self._step = balance_step
        self._holdings: dict[tuple[str, Ticker], Holding] = {}
        self._owners: dict[Ticker, dict[str, None]] = {}
        self._seen: dict[Ticker, set[tuple[TradeId, OrderId]]] = {}
        self._settled: dict[Ticker, Price] = {}
        self._paid: dict[Ticker, tuple[Count, Money]] = {}
        """Of settled markets the account's net position that was paid, and what was cut off."""
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
        key = (strategy, fill.ticker)
        held = self._holdings.get(key, Holding())
        change = trade(held.position, fill.side, fill.count, fill.price)
        fee = ZERO_MONEY if fill.fee is None else fill.fee
        held = replace(
            held,
            position=change.after,
            realized=held.realized + change.realized,
            fees=held.fees + fee,
        )
        self._put(key, held)
        value = self._settled.get(fill.ticker)
        if value is not None:
            net, before = self._paid[fill.ticker]
            net += held.position.net
            cut = self._cut(net, value)
            self._paid[fill.ticker] = net, cut
            self._settle(key, value, cut - before)
        return self._holdings.get(key, Holding())

    def settle(self, ticker: Ticker, value: Price) -> None:
        """Pay every strategy's position in a market.  Exposure is free at once.

        A market settles once; a fill that arrives late is settled when it comes.
        The exchange pays the account's net position, cut down to the member's
        balance step; what it cuts off goes to the largest holder, as in the ledger.
        """
        if ticker in self._settled:
            return
        self._settled[ticker] = value
        owners = sorted(self._owners.get(ticker, ()))
        net = self.net(ticker)
        cut = self._cut(net, value)
        self._paid[ticker] = net, cut
        sizes = [abs(self.holding(each, ticker).position.net) for each in owners]
        for owner, size in zip(owners, sizes, strict=True):
            bears = cut and size == max(sizes)
            self._settle((owner, ticker), value, cut if bears else ZERO_MONEY)
            if bears:
                cut = ZERO_MONEY

    def _cut(self, net: Count, value: Price) -> Money:
        gross = gross_payout(net, value)
        return gross - gross.floor_to(self._step)

    def _settle(self, key: tuple[str, Ticker], value: Price, cut: Money = ZERO_MONEY) -> None:
        held = self._holdings[key]
        paid = gross_payout(held.position.net, value) - cut
        realized = held.realized + paid - held.position.cost
        self._put(key, replace(held, position=FLAT, realized=realized))

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
        net = self.net(fill.ticker)
        closed = Count(max(0, min(-fill.side.sign * net.units, fill.count.units)))
        own = fill.price if fill.side is Side.YES else fill.price.complement()
        # What rested when the pot was read is missing from it already.
        is_missing = reserved_at is not None and reserved_at < pot.at
        cost = ZERO_MONEY if is_missing else own * (fill.count - closed)
        fee = ZERO_MONEY if fill.fee is None else fill.fee
        spent = _Spent(fill.at, cost + fee - own.complement() * closed)
        self._spent.setdefault(place, []).append(spent)

    def _put(self, key: tuple[str, Ticker], held: Holding) -> None:
        self._holdings[key] = held
        self._owners.setdefault(key[1], {})[key[0]] = None

    # -- questions -------------------------------------------------------------------------

    def holding(self, strategy: str, ticker: Ticker) -> Holding:
        """What a strategy holds in a market."""
        return self._holdings.get((strategy, ticker), Holding())

    def net(self, ticker: Ticker, strategy: str | None = None) -> Count:
        """The net position in a market: a strategy's, or the account's."""
        if strategy is not None:
            return self.holding(strategy, ticker).position.net
        owners = self._owners.get(ticker, ())
        return sum((self.holding(each, ticker).position.net for each in owners), ZERO_COUNT)

    def held(self, strategy: str | None = None) -> Iterator[tuple[str, Ticker, Holding]]:
        """Every position that is not flat."""
        for (owner, ticker), holding in self._holdings.items():
            if holding.position.net and strategy in {None, owner}:
                yield owner, ticker, holding

    def cost(self, tickers: Iterable[Ticker] | None = None, strategy: str | None = None) -> Money:
        """What the open positions cost: in some markets or in all, of one strategy or of all."""
        if tickers is None:
            return sum((each.position.cost for _, _, each in self.held(strategy)), ZERO_MONEY)
        total = ZERO_MONEY
        for ticker in tickers:
            for owner in self._owners.get(ticker, ()):
                if strategy in {None, owner}:
                    total += self.holding(owner, ticker).position.cost
        return total

    def profit(self, marks: Mapping[Ticker, Price | None], strategy: str | None = None) -> Money:
        """Profit after fees, open positions at their marks: of one strategy or of all ours.

        What somebody else does on the account is not our profit.
        """
        total = ZERO_MONEY
        for (owner, ticker), holding in self._holdings.items():
            if owner != FOREIGN and strategy in {None, owner}:
                total += holding.profit(marks.get(ticker))
        return total

    def earned(self, strategy: str) -> tuple[Money, Money]:
        """What a strategy has realised, before fees, and the fees."""
        mine = [each for (owner, _), each in self._holdings.items() if owner == strategy]
        realized = sum((each.realized for each in mine), ZERO_MONEY)
        return realized, sum((each.fees for each in mine), ZERO_MONEY)

    def is_settled(self, ticker: Ticker) -> bool:
        """Whether the market has paid."""
        return ticker in self._settled

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
