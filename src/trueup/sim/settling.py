"""How markets pay: the net positions, the rows that appear later, and corrections.

Only the net position is paid: YES and NO contracts of one holder closed each
other at $1 when the second one was bought.  What a payout is cut by, to the
member's precision, stays with the exchange.
"""

from __future__ import annotations

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Settled
from trueup.core.fees import regime_at
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import gross_payout, paid_payout
from trueup.core.units import Count, Money, Price
from trueup.sim import events as e
from trueup.sim.account import Account, ListedSettlement
from trueup.sim.books import Books
from trueup.sim.holding import ONE, HoldingRecord
from trueup.sim.lifecycle import Due, DueKind, MarketState, Stage
from trueup.sim.returning import return_collateral

_CENT = Money.of_cents(1)


def settlement_row(
    held: HoldingRecord, net: Count, *, result: MarketResult, value: Price, at: Instant
) -> Settled:
    """The row the exchange shows for a holding of `net` contracts that it settled.

    Revenue and value are cut to whole cents, as on the wire.
    """
    return Settled(
        ticker=held.ticker,
        event_ticker=held.event_ticker,
        result=result,
        yes_count=Count(held.yes_count),
        no_count=Count(held.no_count),
        yes_cost=Money(held.yes_cost),
        no_cost=Money(held.no_cost),
        revenue=paid_payout(net, value, _CENT),
        trade_fees=Money(held.fees),
        value=Price.of_cents(value.units // 100),
        at=at,
        subaccount=held.subaccount,
        shard=held.shard,
    )


def settle(books: Books, state: MarketState, at: Instant, *, row_delay: int) -> None:
    """Pay everybody who holds something in a finalized market."""
    stage = state.stage()
    result, value = _outcome(state, stage)
    open_interest, paid, cleared = state.long, 0, books.clearing
    for record in state.holders.values():
        before = record.net
        paid += _pay(books, record, result, value=value, at=at, listed_at=Instant(at + row_delay))
        state.hold(before, 0)
    if state.outside is not None:
        outside = state.outside
        payout = gross_payout(Count(outside.net), value).units
        state.hold(outside.net, 0)
        outside.settle(payout, at)
        books.clearing -= payout
        paid += payout
    books.open_interest -= open_interest
    _keep_remainder(books, open_interest * ONE - paid)
    if state.long or state.short or cleared - books.clearing != open_interest * ONE:
        message = f"{state.ticker} did not pay $1 for each of its pairs: {Money(paid)} in all"
        raise InvariantBroken(message)
    for record in state.holders.values():
        if record.returns:
            return_collateral(books, record, at)
    books.agenda.note(Due(Instant(at + row_delay), DueKind.LIST_SETTLEMENTS, state.market.ticker))


def _outcome(state: MarketState, stage: Stage) -> tuple[MarketResult, Price]:
    if stage.result is None or stage.value is None:
        raise InvariantBroken(f"{state.ticker} was settled without a result")
    return stage.result, stage.value


def _keep_remainder(books: Books, units: int) -> None:
    """What all payouts together were cut by stays with the exchange."""
    if units < 0:
        raise InvariantBroken(f"{Money(-units)} more was paid than the clearing house held")
    books.clearing -= units
    books.rounding += units


def _pay(
    books: Books,
    record: HoldingRecord,
    result: MarketResult,
    *,
    value: Price,
    at: Instant,
    listed_at: Instant,
) -> int:
    account = books.accounts[record.member]
    net = Count(record.net)
    row = settlement_row(record, net, result=result, value=value, at=at)
    payout = paid_payout(net, value, regime_at(at).balance_step(account.precision))
    record.settle(payout.units, at)
    record.hold()
    record.note(at)
    if account.history:
        account.add_settlement(ListedSettlement(listed_at, row))
    books.events.append(e.SettlementPaid(at=at, member=record.member, settled=row, payout=payout))
    _move(books, account, record, units=payout.units, at=at)
    return payout.units


def _move(
    books: Books, account: Account, record: HoldingRecord, *, units: int, at: Instant
) -> None:
    books.move_cash(
        account, record.subaccount, record.shard, units=units, cause=e.Cause.SETTLEMENT, at=at
    )


def list_rows(books: Books, state: MarketState, at: Instant) -> None:
    """Say which rows of a market can be read from now on."""
    for member, subaccount in state.holders:
        account = books.accounts[member]
        for row in account.settlements_of(subaccount, state.market.ticker)[-1:]:
            books.events.append(e.SettlementListed(at=at, member=member, settled=row))


def revise(
    books: Books,
    state: MarketState,
    result: MarketResult,
    *,
    value: Price,
    at: Instant,
    row_delay: int,
) -> bool:
    """Correct the result of a market that has paid: pay, or take back, the difference.

    The rows are replaced by others with the same time of settlement.
    """
    if state.status is not MarketStatus.FINALIZED:
        return False
    stage = state.revised(result, value)
    state.enter(at, stage)
    books.events.append(
        e.MarketMoved(
            at=at,
            ticker=state.market.ticker,
            status=stage.status,
            result=result,
            value=value,
            silent=False,
        )
    )
    difference = 0
    for record in state.holders.values():
        difference += _pay_difference(
            books, record, result, value=value, at=at, listed_at=Instant(at + row_delay)
        )
    outside = state.outside
    if outside is not None:
        payout = gross_payout(Count(outside.settled_net), value).units
        difference += payout - outside.payout
        books.clearing -= payout - outside.payout
        outside.revise(payout)
    for record in state.holders.values():
        if record.returns:
            return_collateral(books, record, at)
    books.clearing += difference
    books.rounding -= difference
    books.agenda.note(Due(Instant(at + row_delay), DueKind.LIST_SETTLEMENTS, state.market.ticker))
    return True


def _pay_difference(
    books: Books,
    record: HoldingRecord,
    result: MarketResult,
    *,
    value: Price,
    at: Instant,
    listed_at: Instant,
) -> int:
    account = books.accounts[record.member]
    net, settled_at = Count(record.settled_net), record.settled_at
    if settled_at is None:
        raise InvariantBroken(f"{record.ticker} was never settled for {record.member}")
    step = regime_at(settled_at).balance_step(account.precision)
    payout = paid_payout(net, value, step)
    difference = payout.units - record.payout
    record.revise(payout.units)
    record.note(at)
    row = settlement_row(record, net, result=result, value=value, at=settled_at)
    if account.history:
        account.replace_settlement(ListedSettlement(listed_at, row))
    books.events.append(e.SettlementPaid(at=at, member=record.member, settled=row, payout=payout))
    _move(books, account, record, units=difference, at=at)
    return difference
