"""What a bot is doing, as one document: for the command line, the page, alerts and metrics.

A pure function of the machine's state and of what surrounds it.  Money, prices and
counts are exact decimal strings, shares of a limit are decimals between 0 and about
1, times are RFC 3339, and what is not known is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.core.units import ZERO_MONEY, Money, Price, rounded_text
from trueup.engine.desk import MachineDesk
from trueup.engine.flattening import waits_until
from trueup.engine.fullness import Fullness, exposure, fullness
from trueup.engine.inflight import OwnOrder
from trueup.engine.portfolio import FOREIGN, Holding, Key
from trueup.engine.records import LIFTED_BY_OPERATOR
from trueup.engine.state import Running, State
from trueup.run.bot.connections import Connection
from trueup.run.bot.status_document import (
    ClosingShown,
    ConnectionShown,
    CountersShown,
    FairShown,
    FlattenShown,
    HaltShown,
    LimitShown,
    OrderShown,
    PositionShown,
    PotShown,
    Status,
    StrategyShown,
    SweepShown,
    TopShown,
)
from trueup.run.bot.strategy_parameters import parameter_words
from trueup.run.bot.tally import Tally

_TOPS_MAX: Final = 500
"""How many markets a document shows: what is held or quoted first, then the busiest."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine does not know about itself.

    `live` says whether its orders go to the production exchange.  `books` is the last
    proof, in the words of whoever proves.  While it is not `is_ready` it still reads the account
    and the markets.
    """

    venue: str
    account: str
    mode: str
    live: bool
    version: str
    pid: int
    started_at: Instant
    at: Instant
    is_ready: bool = True
    connections: tuple[Connection, ...] = ()
    books: Mapping[str, Any] | None = None


def status_of(state: State, tally: Tally, about: About, *, tops: bool = True) -> Status:
    """The document of this moment; without `tops` it has none, for who hears of them by themselves."""
    strategies = [_strategy(state, each) for each in state.running.values()]
    capital = sum((each.mandate.capital for each in state.running.values()), ZERO_MONEY)
    profit = state.portfolio.profit(state.marks())
    quiet = state.sweeper.quiet_until
    shown = shown_markets(state)
    return Status(
        venue=about.venue,
        account=about.account,
        mode=about.mode,
        live=about.live,
        version=about.version,
        pid=about.pid,
        started_at=format_instant(about.started_at),
        at=format_instant(about.at),
        state=_state_of(state, is_ready=about.is_ready),
        value=str(capital + profit),
        profit=str(profit),
        connections=[_connection(each, about.at) for each in about.connections],
        strategies=strategies,
        positions=[_position(state, *each) for each in state.portfolio.positions()],
        limits=[_limit(each) for each in fullness(state)],
        halts=[
            HaltShown(
                code=each.code,
                strategy=each.strategy,
                words=each.words,
                at=format_instant(each.at),
                lifted_by="operator" if each.code in LIFTED_BY_OPERATOR else "trueup",
            )
            for each in state.halts
        ],
        orders=[_order(each) for each in state.inflight.living()],
        tops=[_top(state, each) for each in shown] if tops else [],
        fair=list(_fair_values(state, shown)),
        cash=list(_cash(state)),
        markets_known=len(state.listings),
        markets_followed=len(_followed(state)),
        unreadable={str(ticker): words for ticker, words in state.unreadable.items()},
        sweep=_sweep(state),
        flatten=_flatten(state),
        quiet_until=format_instant(quiet) if quiet > about.at else None,
        counters=_counters(tally),
        books=None if about.books is None else dict(about.books),
    )


def as_document(status: Status) -> dict[str, Any]:
    """The document as plain JSON values."""
    return cast("dict[str, Any]", msgspec.to_builtins(status))


def top_document(state: State, ticker: Ticker) -> dict[str, Any]:
    """The top of one market as plain JSON values."""
    return cast("dict[str, Any]", msgspec.to_builtins(_top(state, ticker)))


# -- the parts ---------------------------------------------------------------------------------


def _state_of(state: State, *, is_ready: bool) -> str:
    if any(not each.strategy for each in state.halts):
        return "halted"
    if state.running and all(each.paused for each in state.running.values()):
        return "paused"
    return "trading" if is_ready else "starting"


def _connection(each: Connection, now: Instant) -> ConnectionShown:
    heard = each.heard_at
    return ConnectionShown(
        name=each.name,
        up=each.is_up,
        heard_at=None if heard is None else format_instant(heard),
        age_seconds=None if heard is None else max(0, now - heard) // SECOND,
        failed_at=None if each.failed_at is None else format_instant(each.failed_at),
        words=each.words,
    )


def _strategy(state: State, running: Running) -> StrategyShown:
    halt = state.halts.holding(running.name)
    condition, why = "trading", ""
    if running.paused:
        condition, why = "paused", running.paused
    if halt is not None:
        condition, why = "halted", f"{halt.code}: {halt.words}"
    realized, fees = state.portfolio.earned(running.name)
    living = state.inflight.living()
    return StrategyShown(
        name=running.name,
        state=condition,
        why=why,
        capital=str(running.mandate.capital),
        value=str(state.value(running)),
        exposure=str(exposure(state, running.name)),
        profit=str(state.portfolio.profit(state.marks(), running.name)),
        realized=str(realized),
        fees=str(fees),
        subaccount=running.mandate.subaccount,
        markets=len(running.universe),
        open_orders=sum(each.intent.strategy == running.name for each in living),
        parameters=parameter_words(running.strategy),
    )


def _position(state: State, key: Key, holding: Holding) -> PositionShown:
    owner, place, ticker = key
    listing, mark = state.listings.get(ticker), state.mark(ticker)
    closes = None if listing is None else listing.market.close_at
    average = holding.position.average_cost
    return PositionShown(
        strategy="" if owner == FOREIGN else owner,
        subaccount=place,
        ticker=ticker,
        title="" if listing is None else listing.market.title,
        net=str(holding.position.net),
        average_cost=None if average is None else rounded_text(average, 4),
        cost=str(holding.position.cost),
        mark=None if mark is None else str(mark),
        worth=str(holding.worth(mark)),
        realized=str(holding.realized),
        fees=str(holding.fees),
        profit=str(holding.profit(mark)),
        closes_at=None if closes is None else format_instant(closes),
    )


def _limit(each: Fullness) -> LimitShown:
    return LimitShown(
        limit=each.limit,
        strategy=each.strategy,
        used=str(each.used),
        allowed=str(each.allowed),
        share=rounded_text(each.share, 4),
        subject=each.subject,
    )


def _order(order: OwnOrder) -> OrderShown:
    intent, expires = order.intent, order.expires_at
    return OrderShown(
        client_order_id=intent.client_order_id,
        order_id=order.order_id,
        strategy=intent.strategy,
        ticker=intent.ticker,
        side=intent.side,
        style=intent.style,
        state=order.state,
        limit=str(order.limit),
        count=str(order.whole_count),
        filled=str(order.filled),
        remaining=str(order.open_count),
        reason=intent.reason,
        sent_at=format_instant(intent.at),
        expires_at=None if expires is None else format_instant(expires),
    )


def _followed(state: State) -> dict[Ticker, None]:
    return dict.fromkeys(ticker for each in state.running.values() for ticker in each.universe)


def shown_markets(state: State) -> list[Ticker]:
    """The markets that a document shows: held or quoted ones first, then the busiest."""
    ours = [ticker for _, ticker, _ in state.portfolio.held()]
    ours += [each.intent.ticker for each in state.inflight.living()]
    busy = sorted(
        (each for each in _followed(state) if each in state.tops),
        key=lambda each: state.tops[each].volume_24h,
        reverse=True,
    )
    return [each for each in dict.fromkeys((*ours, *busy)) if each in state.tops][:_TOPS_MAX]


def _top(state: State, ticker: Ticker) -> TopShown:
    top, listing = state.tops[ticker], state.listings.get(ticker)
    return TopShown(
        ticker=ticker,
        title="" if listing is None else listing.market.title,
        status="" if listing is None else listing.status,
        category="" if listing is None else listing.category,
        bid=_price(top.bid),
        ask=_price(top.ask),
        bid_size=str(top.bid_size),
        ask_size=str(top.ask_size),
        last=_price(top.last),
        volume_24h=str(top.volume_24h),
        at=format_instant(top.at),
    )


def _fair_values(state: State, tickers: Sequence[Ticker]) -> Iterator[FairShown]:
    for running in state.running.values():
        desk, name = MachineDesk(state, running), running.name
        for ticker in tickers:
            if ticker not in running.member:
                continue
            try:
                found = running.strategy.fair(desk, ticker)
                if found is not None:
                    yield FairShown(
                        strategy=name,
                        ticker=ticker,
                        fair=rounded_text(found.value, 4),
                        as_of=format_instant(found.as_of),
                        source=str(found.source),
                    )
            except Exception as error:  # noqa: BLE001  (other people's code)
                words = f"{type(error).__name__}: {error}"[:200]
                yield FairShown(strategy=name, ticker=ticker, fair=None, as_of=None, source=words)


def _cash(state: State) -> Iterator[PotShown]:
    for (subaccount, shard), pot in sorted(state.portfolio.pots().items()):
        available: Money = pot.available - state.portfolio.spent(subaccount, shard)
        yield PotShown(
            subaccount=subaccount,
            shard=shard,
            available=str(available),
            read_at=format_instant(pot.at),
        )


def _sweep(state: State) -> SweepShown | None:
    duty = state.sweeper.duty
    if duty is None:
        return None
    return SweepShown(
        since=format_instant(duty.order.at),
        words=duty.order.words,
        tries=duty.tries,
        subaccounts=tuple(duty.order.subaccounts),
    )


def _flatten(state: State) -> FlattenShown | None:
    wish = state.flattener.wish
    if wish is None:
        return None
    return FlattenShown(
        by=wish.by,
        strategy=wish.strategy,
        slippage=str(Price(wish.slippage)),
        said_at=format_instant(wish.at),
        done_at=None if wish.done_at is None else format_instant(wish.done_at),
        waits_for=waits_until(state),
        positions=[
            ClosingShown(
                strategy=each.strategy,
                subaccount=each.subaccount,
                ticker=each.ticker,
                begun_with=str(each.begun_with),
                net=str(
                    state.portfolio.net(each.ticker, each.strategy, subaccount=each.subaccount)
                ),
                state=each.state,
                limit=_price(each.limit),
                words=each.words,
            )
            for each in state.flattener.closings.values()
        ],
    )


def _counters(tally: Tally) -> CountersShown:
    return CountersShown(
        sent=tally.sent,
        amended=tally.amended,
        withdrawn=tally.withdrawn,
        refused=tally.refused,
        fills=tally.fills,
        refusals=dict(sorted(tally.refusals.items())),
        alerts=dict(sorted(tally.alerts.items())),
    )


def _price(price: Price | None) -> str | None:
    return None if price is None else str(price)
