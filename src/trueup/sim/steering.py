"""What the exchange does to its markets: the steps of their lives, pauses, corrections.

A market opens and closes by its own times, silently.  After the close nothing can
be done to its orders any more; shortly later those that still rest are
cancelled (the exchange's page *Market lifecycle*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from trueup.core.errors import CallerError
from trueup.core.ids import Shard
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.payoff import yes_value
from trueup.core.units import Price
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.books import Books
from trueup.sim.crossing import cancel_all, end, resting_orders
from trueup.sim.lifecycle import Due, DueKind, MarketState, Stage
from trueup.sim.requesting import close_market
from trueup.sim.settling import revise, settle

SHARDS: Final = tuple(Shard(number) for number in range(4))
"""Default, exotics, crypto and commodities, sports (the exchange's page *Sharding*)."""

Steering = (
    c.QuoteMarket
    | c.ReportTrade
    | c.PauseMarket
    | c.ResumeMarket
    | c.CloseMarket
    | c.ChangeCloseTime
    | c.ReopenMarket
    | c.ChangePriceGrid
    | c.DetermineMarket
    | c.DisputeMarket
    | c.AmendMarket
    | c.SettleMarket
    | c.ReviseSettlement
    | c.SetExchangeStatus
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """What the exchange takes its time for, in microseconds."""

    row: int
    close_cancel: int


def carry_out(books: Books, command: Steering, delays: Delays) -> e.Refusal | None:
    """Carry a command out; returns why not, where it cannot be."""
    if isinstance(command, c.SetExchangeStatus):
        _set_status(books, command)
        return None
    ticker = command.quote.ticker if isinstance(command, c.QuoteMarket) else command.ticker
    state = books.listings.markets.get(ticker)
    if state is None:
        return e.Refusal.MARKET_NOT_FOUND
    at = command.at
    match command:
        case c.QuoteMarket() | c.ReportTrade():
            done = _tell(books, state, command)
        case c.ChangePriceGrid():
            state.change_grid(at, command.grid)
            books.events.append(e.PriceGridChanged(at=at, ticker=ticker, grid=command.grid))
            done = True
        case c.PauseMarket():
            done = _pause(books, state, at)
        case c.ResumeMarket():
            done = state.status is MarketStatus.INACTIVE and _activate(books, state, at)
        case c.CloseMarket():
            done = _close_early(books, state, at, delays=delays)
        case c.ChangeCloseTime():
            done = _change_close(books, state, command)
        case c.ReopenMarket():
            done = _reopen(books, state, command)
        case _:
            done = _decide(books, state, command, delays=delays)
    return None if done else e.Refusal.WRONG_STATE


def _tell(books: Books, state: MarketState, command: c.QuoteMarket | c.ReportTrade) -> bool:
    """What the rest of the world quotes, or traded."""
    if isinstance(command, c.QuoteMarket):
        state.quotes.record(command.at, command.quote)
        books.events.append(e.QuoteChanged(at=command.at, quote=command.quote))
        return True
    if state.status is not MarketStatus.ACTIVE:
        return False
    made = e.TradeMade(
        at=command.at,
        trade_id=command.trade_id,
        ticker=command.ticker,
        count_units=command.count.units,
        price=command.price,
        taker_side=command.taker_side,
    )
    books.events.append(made)
    state.tape.trade(made)
    books.touched[state] = None
    return True


def _decide(
    books: Books,
    state: MarketState,
    command: c.DetermineMarket
    | c.DisputeMarket
    | c.AmendMarket
    | c.SettleMarket
    | c.ReviseSettlement,
    *,
    delays: Delays,
) -> bool:
    at = command.at
    match command:
        case c.DisputeMarket():
            return move(books, state, at, state.with_status(MarketStatus.DISPUTED))
        case c.DetermineMarket():
            return _determine(books, state, command, amended=False)
        case c.AmendMarket():
            return _determine(books, state, command, amended=True)
        case c.SettleMarket():
            due = Due(at, DueKind.FINALIZE, command.ticker, generation=state.stage().generation)
            finalize(books, state, due, delays=delays)
            return state.status is MarketStatus.FINALIZED
        case c.ReviseSettlement():
            _check_value(state, command.result, command.value)
            return revise(
                books, state, command.result, value=command.value, at=at, row_delay=delays.row
            )
        case _:
            assert_never(command)


def move(
    books: Books, state: MarketState, at: Instant, stage: Stage, *, silent: bool = False
) -> bool:
    """Take a step of a market's life and tell it; returns whether it was possible."""
    if not state.move(at, stage):
        return False
    books.events.append(
        e.MarketMoved(
            at=at,
            ticker=state.market.ticker,
            status=stage.status,
            result=stage.result,
            value=stage.value,
            silent=silent,
        )
    )
    return True


def list_market(books: Books, command: c.ListMarket) -> bool:
    """List a market and put its opening and its close on the agenda."""
    market, at = command.market, command.at
    state = MarketState(market, command.grid, command.settlement_timer)
    if not books.listings.add_market(at, state):
        return False
    state.stages.record(at, Stage(status=MarketStatus.INITIALIZED))
    books.events.append(e.MarketListed(at=at, market=market))
    opens = at if market.open_at is None else Instant(max(market.open_at, at))
    books.agenda.note(Due(opens, DueKind.OPEN, market.ticker))
    if market.close_at is not None:
        state.close_at = Instant(max(market.close_at, at))
        books.agenda.note(Due(state.close_at, DueKind.CLOSE, market.ticker))
    return True


def open_market(books: Books, state: MarketState, at: Instant) -> None:
    """Open a market at its time, unless something else happened to it before."""
    if state.status is MarketStatus.INITIALIZED:
        move(books, state, at, state.with_status(MarketStatus.ACTIVE), silent=True)


# -- pauses --------------------------------------------------------------------------------


def _pause(books: Books, state: MarketState, at: Instant) -> bool:
    """Deactivate a market; the orders that asked for it are cancelled."""
    if not move(books, state, at, state.with_status(MarketStatus.INACTIVE)):
        return False
    _cancel_on_pause(books, state, at)
    return True


def _activate(books: Books, state: MarketState, at: Instant) -> bool:
    """Activate a market; whatever rests in it is cancelled."""
    if not move(books, state, at, state.with_status(MarketStatus.ACTIVE)):
        return False
    cancel_all(books, state, at, why=e.OrderChange.HALT_CANCEL)
    return True


def _cancel_on_pause(books: Books, state: MarketState, at: Instant) -> None:
    for order in resting_orders(state):
        if order.terms.cancel_on_pause:
            end(books, state, order, at=at, why=e.OrderChange.HALT_CANCEL)


def _set_status(books: Books, command: c.SetExchangeStatus) -> None:
    """Pause or resume whole shards.  A paused exchange trades as little as it cancels."""
    trading = command.exchange_active and command.trading_active
    for shard in SHARDS if command.shard is None else (command.shard,):
        if trading:
            books.paused.pop(shard, None)
        elif command.exchange_active:
            books.paused[shard] = e.Refusal.TRADING_PAUSED
        else:
            books.paused[shard] = e.Refusal.EXCHANGE_PAUSED
        books.events.append(
            e.ExchangeStatusChanged(
                at=command.at,
                shard=shard,
                exchange_active=command.exchange_active,
                trading_active=trading,
            )
        )
        if not trading:
            for state in books.listings.markets.values():
                if state.shard == shard:
                    _cancel_on_pause(books, state, command.at)


# -- closing and reopening -----------------------------------------------------------------


def close(books: Books, state: MarketState, at: Instant, *, delays: Delays, silent: bool) -> bool:
    """Close a market; shortly later its resting orders are cancelled."""
    if not move(books, state, at, state.with_status(MarketStatus.CLOSED), silent=silent):
        return False
    close_market(books, state, at)
    cancels = Instant(at + delays.close_cancel)
    books.agenda.note(Due(cancels, DueKind.CANCEL_RESTING, state.market.ticker))
    return True


def _close_early(books: Books, state: MarketState, at: Instant, *, delays: Delays) -> bool:
    if not close(books, state, at, delays=delays, silent=True):
        return False
    _tell_close(books, state, at, at)
    return True


def _tell_close(books: Books, state: MarketState, at: Instant, close_at: Instant) -> None:
    state.closes(at, close_at)
    books.events.append(e.CloseTimeChanged(at=at, ticker=state.market.ticker, close_at=close_at))


def _change_close(books: Books, state: MarketState, command: c.ChangeCloseTime) -> bool:
    living = {MarketStatus.INITIALIZED, MarketStatus.ACTIVE, MarketStatus.INACTIVE}
    if state.status not in living or command.close_at < command.at:
        return False
    _tell_close(books, state, command.at, command.close_at)
    books.agenda.note(Due(command.close_at, DueKind.CLOSE, state.market.ticker))
    return True


def _reopen(books: Books, state: MarketState, command: c.ReopenMarket) -> bool:
    """Open a closed market again: first its new close is told, then that it is active."""
    if state.status is not MarketStatus.CLOSED or command.close_at <= command.at:
        return False
    _tell_close(books, state, command.at, command.close_at)
    books.agenda.note(Due(command.close_at, DueKind.CLOSE, state.market.ticker))
    return _activate(books, state, command.at)


# -- results -------------------------------------------------------------------------------


def _check_value(state: MarketState, result: MarketResult, value: Price) -> None:
    if yes_value(result, value) != value:
        message = f"{state.ticker}: a result of {result} does not pay {value}"
        raise CallerError(message)


def _determine(
    books: Books,
    state: MarketState,
    command: c.DetermineMarket | c.AmendMarket,
    *,
    amended: bool,
) -> bool:
    _check_value(state, command.result, command.value)
    stage = state.determined(command.result, command.value, amended=amended)
    at = command.at
    if not move(books, state, at, stage):
        return False
    cancel_all(books, state, at, why=e.OrderChange.CLOSE_CANCEL)
    due = Instant(at + state.settlement_timer)
    books.agenda.note(Due(due, DueKind.FINALIZE, state.market.ticker, generation=stage.generation))
    return True


def finalize(books: Books, state: MarketState, due: Due, *, delays: Delays) -> None:
    """Settle a market, unless its determination was doubted or changed meanwhile."""
    stage = state.stage()
    if stage.generation != due.generation or stage.status is MarketStatus.DISPUTED:
        return
    final = Stage(
        status=MarketStatus.FINALIZED,
        result=stage.result,
        value=stage.value,
        settled_at=due.at,
        generation=stage.generation,
    )
    if stage.result is not None and stage.value is not None and move(books, state, due.at, final):
        settle(books, state, due.at, row_delay=delays.row)
