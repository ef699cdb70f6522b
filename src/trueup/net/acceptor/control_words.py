"""The words of the control API: one small body and one function each.

`WORDS` is the whole list; HTTP, command line, test handle and documentation
are derived from it.  Bodies take times as ``"15m"`` or RFC 3339, money and
prices as dollars in decimal text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from trueup.core.errors import CallerError
from trueup.core.ids import Shard
from trueup.core.instant import DAY, Instant, format_instant, parse_instant, parse_length
from trueup.core.units import Price
from trueup.net.acceptor import control_trading as trading
from trueup.net.acceptor.control_bodies import (
    Advance,
    ClearFault,
    Deposit,
    Ending,
    FaultBody,
    FillBody,
    Hours,
    Markets,
    Named,
    Nothing,
    OfMarket,
    OfMember,
    QuoteBody,
    Reset,
    Speed,
    TradeBody,
)
from trueup.net.acceptor.control_room import ControlRoom
from trueup.sim import commands as c
from trueup.sim.faults import PROFILES, FaultName, fault
from trueup.sim.living.questions import Outcome, outcome_of
from trueup.sim.steering import SHARDS
from trueup.wire.spelling import Record


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that can be asked.  Its body's docstring says what it takes."""

    does: str
    body: type[msgspec.Struct]
    run: Callable[[ControlRoom, Any], Awaitable[Record]]
    reads: bool = False
    """Whether it only looks: it may be asked with GET."""


# -- reading values ----------------------------------------------------------------------------


def _outcome(body: Ending) -> Outcome:
    if (body.result == "") == (body.pays == ""):
        raise CallerError("say either the result (yes, no) or what one YES contract pays")
    if body.result not in {"", "yes", "no"}:
        raise CallerError(f"{body.result!r} is no result: yes, no, or say what it pays")
    if body.result:
        return outcome_of(Price(10_000 if body.result == "yes" else 0))
    return outcome_of(Price.parse(str(body.pays)))


# -- time --------------------------------------------------------------------------------------


async def _state(room: ControlRoom, _: Nothing) -> Record:
    at = room.present()
    exchange = room.floor.exchange
    counts: dict[str, int] = {}
    for state in exchange.books.listings.markets.values():
        counts[state.status.value] = counts.get(state.status.value, 0) + 1
    return {
        "time": format_instant(at),
        "speed": room.clock.speed,
        "seed": room.seed,
        "member": room.member,
        "members": sorted(exchange.books.accounts),
        "markets": counts,
        "faults": _faults(room),
        "snapshots": {name: format_instant(kept.at) for name, kept in room.kept.items()},
    }


async def _advance(room: ControlRoom, body: Advance) -> Record:
    if body.by and body.to:
        raise CallerError("say either by or to, not both")
    begin = room.present()
    if body.to:
        by = parse_instant(body.to) - begin
        if by < 0:
            raise CallerError(f"it is {format_instant(begin)} already: time does not go back")
    else:
        by = parse_length(body.by) if body.by else 0
    reached: bool | None = None
    if body.ticker or body.status:
        reached = await _advance_until(room, body, by or 30 * DAY)
    else:
        await room.advance(by)
    answer: Record = {"time": format_instant(room.present())}
    return answer if reached is None else {**answer, "reached": reached}


async def _advance_until(room: ControlRoom, body: Advance, by: int) -> bool:
    state = room.market(body.ticker)
    wanted = body.status or "finalized"
    if wanted not in _STATUSES:
        raise CallerError(f"{wanted!r} is no status: {', '.join(_STATUSES)}")
    return await room.advance(by, lambda: state.status.value == wanted)


_STATUSES: Final = (
    "initialized",
    "inactive",
    "active",
    "closed",
    "determined",
    "disputed",
    "amended",
    "finalized",
)


async def _speed(room: ControlRoom, body: Speed) -> Record:
    room.clock.set_speed(body.speed)
    return {"time": format_instant(room.present()), "speed": room.clock.speed}


# -- markets -----------------------------------------------------------------------------------


async def _markets(room: ControlRoom, body: Markets) -> Record:
    room.present()
    listings = room.floor.exchange.books.listings
    return {
        "markets": [
            trading.market_shown(state)
            for state in listings.markets.values()
            if body.status in {"", state.status.value}
            and body.series in {"", listings.events[state.market.event_ticker].series_ticker}
        ]
    }


_Step = (
    type[c.PauseMarket]
    | type[c.ResumeMarket]
    | type[c.CloseMarket]
    | type[c.DisputeMarket]
    | type[c.SettleMarket]
)


def _steps(command: _Step) -> Callable[[ControlRoom, OfMarket], Awaitable[Record]]:
    async def run(room: ControlRoom, body: OfMarket) -> Record:
        at, state = room.present(), room.market(body.ticker)
        room.do(command(at=at, ticker=state.ticker))
        return trading.market_shown(state)

    return run


async def _exchange(room: ControlRoom, body: Hours) -> Record:
    at = room.present()
    if body.shard is not None and body.shard not in SHARDS:
        raise CallerError(f"there is no shard {body.shard}: {', '.join(map(str, SHARDS))}")
    room.do(
        c.SetExchangeStatus(
            at=at,
            exchange_active=body.active,
            trading_active=body.trading and body.active,
            shard=None if body.shard is None else Shard(body.shard),
        )
    )
    paused = room.floor.exchange.books.paused
    return {"paused": {str(shard): why.value for shard, why in paused.items()}}


async def _determine(room: ControlRoom, body: Ending) -> Record:
    """A market that still trades is closed first."""
    at, state, ends = room.present(), room.market(body.ticker), _outcome(body)
    if state.status.value in {"active", "inactive", "initialized"}:
        room.do(c.CloseMarket(at=at, ticker=state.ticker))
    room.do(c.DetermineMarket(at=at, ticker=state.ticker, result=ends.result, value=ends.value))
    return trading.market_shown(state)


async def _amend(room: ControlRoom, body: Ending) -> Record:
    at, state, ends = room.present(), room.market(body.ticker), _outcome(body)
    room.do(c.AmendMarket(at=at, ticker=state.ticker, result=ends.result, value=ends.value))
    return trading.market_shown(state)


async def _revise(room: ControlRoom, body: Ending) -> Record:
    at, state, ends = room.present(), room.market(body.ticker), _outcome(body)
    room.do(c.ReviseSettlement(at=at, ticker=state.ticker, result=ends.result, value=ends.value))
    return trading.market_shown(state)


# -- faults ------------------------------------------------------------------------------------


def _faults(room: ControlRoom) -> list[Record]:
    return [
        {
            "number": number,
            "name": one.name.value,
            "amount": one.amount,
            "percent": one.percent,
            "starts": None if one.starts is None else format_instant(one.starts),
            "stops": None if one.stops is None else format_instant(one.stops),
            "times": one.times,
            "tickers": sorted(one.tickers),
            "hits": room.plan.hits(number),
        }
        for number, one in room.plan.faults.items()
    ]


async def _show_faults(room: ControlRoom, _: Nothing) -> Record:
    return {
        "faults": _faults(room),
        "names": {name.value: profile.does for name, profile in PROFILES.items()},
    }


async def _fault(room: ControlRoom, body: FaultBody) -> Record:
    at = room.present()
    starts = Instant(at + parse_length(body.after)) if body.after else at
    number = room.plan.start(
        fault(
            body.name,
            amount=body.amount,
            percent=body.percent,
            starts=starts,
            stops=Instant(starts + parse_length(body.lasting)) if body.lasting else None,
            times=body.times,
            tickers=body.tickers,
        )
    )
    return next(one for one in _faults(room) if one["number"] == number)


async def _clear_faults(room: ControlRoom, body: ClearFault) -> Record:
    if body.number:
        cleared = int(room.plan.stop(body.number))
    else:
        try:
            name = FaultName(body.name) if body.name else None
        except ValueError:
            raise CallerError(
                f"there is no fault {body.name!r}: they are {', '.join(FaultName)}"
            ) from None
        cleared = room.plan.stop_named(name)
    return {"cleared": cleared}


# -- the past ----------------------------------------------------------------------------------


async def _keep(room: ControlRoom, body: Named) -> Record:
    kept = room.keep(body.name)
    return {"name": body.name, "time": format_instant(kept.at), "bytes": len(kept.content)}


async def _restore(room: ControlRoom, body: Named) -> Record:
    kept = room.restore(body.name)
    return {"name": body.name, "time": format_instant(kept.at)}


async def _reset(room: ControlRoom, body: Reset) -> Record:
    room.reset(room.seed if body.seed is None else body.seed)
    return {"seed": room.seed, "time": format_instant(room.present())}


WORDS: Final[Mapping[str, Word]] = {
    "state": Word("where the sandbox stands", Nothing, _state, reads=True),
    "markets": Word("the markets with their top of book", Markets, _markets, reads=True),
    "account": Word(
        "what a member has, by the exchange's truth", OfMember, trading.show_account, reads=True
    ),
    "orders": Word(
        "a member's orders, by the exchange's truth", OfMember, trading.orders, reads=True
    ),
    "fills": Word("a member's fills, by the exchange's truth", OfMember, trading.fills, reads=True),
    "advance": Word("let time pass", Advance, _advance),
    "speed": Word("run the clock at another speed", Speed, _speed),
    "pause": Word("pause a market", OfMarket, _steps(c.PauseMarket)),
    "resume": Word(
        "resume a paused market; its orders are cancelled", OfMarket, _steps(c.ResumeMarket)
    ),
    "exchange": Word("pause the exchange or a shard, or let it go on", Hours, _exchange),
    "close": Word("close a market before its time", OfMarket, _steps(c.CloseMarket)),
    "determine": Word("state a result; a market that trades is closed first", Ending, _determine),
    "dispute": Word("doubt a determination", OfMarket, _steps(c.DisputeMarket)),
    "amend": Word("replace a determination", Ending, _amend),
    "settle": Word("pay a determined market now", OfMarket, _steps(c.SettleMarket)),
    "revise": Word("correct the result of a market that has paid", Ending, _revise),
    "deposit": Word("bring money in", Deposit, trading.deposit),
    "trade": Word("let two visitors trade", TradeBody, trading.trade),
    "fill": Word("let somebody take a resting order", FillBody, trading.fill_order),
    "quote": Word("let a visitor quote", QuoteBody, trading.quote),
    "faults": Word("what goes wrong now, and what could", Nothing, _show_faults, reads=True),
    "fault": Word("let something go wrong", FaultBody, _fault),
    "clear-faults": Word("let it go right again", ClearFault, _clear_faults),
    "snapshot": Word("keep this moment", Named, _keep),
    "restore": Word("return to a kept moment", Named, _restore),
    "reset": Word("begin again from a seed", Reset, _reset),
}
"""Everything that can be asked, by its word."""
