"""The exchange's own statement of positions beside what we count.

At the start a difference comes from before what can be read (fills leave the live tier
after about 90 days, and hands other than ours trade, too): the exchange's figure is the
truth, so the rest is counted as somebody else's.  Later there is no such excuse.  Reads
lag behind, so one look proves nothing; a difference that never closed for `PATIENCE`
halts its market until both agree again, or until an operator accepts the exchange's word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import MINUTE
from trueup.core.statements import PositionStated
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price
from trueup.engine.effects import Alert, AlertKind, Effect
from trueup.engine.halts import Difference
from trueup.engine.inflight import OrderState
from trueup.engine.inputs import PositionsRead
from trueup.engine.state import State

PATIENCE: Final = MINUTE
"""How long a difference may last: reads lag behind, and fills are on their way."""

READS_MIN: Final = 3
"""How many readings in a row must show one before it is believed."""


def compare(state: State, given: PositionsRead, out: list[Effect]) -> None:
    """Hold a whole listing of one subaccount's positions against our own."""
    stated = {each.ticker: each for each in given.positions}
    place = given.subaccount
    if place not in state.subaccounts:
        return
    for ticker in dict.fromkeys((*stated, *state.portfolio.open_on(place))):
        if state.portfolio.is_settled(ticker):
            # The listing of positions lags behind the settlement.
            state.differences.pop((place, ticker), None)
            continue
        row = stated.get(ticker)
        theirs = ZERO_COUNT if row is None else row.net
        ours = state.portfolio.net(ticker, subaccount=place)
        if theirs == ours:
            _agrees(state, place, ticker, out)
        elif given.at_start and not _is_uncertain(state, place, ticker):
            _adopt(state, place, ticker, theirs=theirs, row=row, out=out)
        else:
            _differs(state, given, ticker, ours=ours, theirs=theirs, out=out)
    gone = [
        key
        for key in state.differences
        if key[0] == place
        and key[1] not in stated
        and not state.portfolio.net(key[1], subaccount=place)
    ]
    for key in gone:
        _agrees(state, *key, out)


def accept(state: State, out: list[Effect]) -> None:
    """The operator takes the exchange's word for every difference that halts a market."""
    for (place, ticker), each in tuple(state.differences.items()):
        if each.halts:
            _adopt(state, place, ticker, theirs=each.theirs, row=None, out=out)
            del state.differences[place, ticker]


def _is_uncertain(state: State, place: Subaccount, ticker: Ticker) -> bool:
    """Whether an order of ours may explain a difference: its fills are not all known."""
    return any(
        each.intent.subaccount == place
        and (each.state in {OrderState.PENDING, OrderState.UNKNOWN} or bool(each.missing))
        for each in state.inflight.unsettled(ticker)
    )


def _adopt(
    state: State,
    place: Subaccount,
    ticker: Ticker,
    *,
    theirs: Count,
    row: PositionStated | None,
    out: list[Effect],
) -> None:
    ours = state.portfolio.net(ticker, subaccount=place)
    rest = theirs - ours
    if not rest:
        return
    state.portfolio.adopt(place, ticker, rest, _price(state, ticker, rest, row))
    words = (
        f"{ticker} on subaccount {place}: the exchange states {theirs}, the fills that can be "
        f"read make {ours}; the other {rest} count as somebody else's"
    )
    out.append(Alert(at=state.now, kind=AlertKind.BOOKS, words=words))


def _price(state: State, ticker: Ticker, rest: Count, row: PositionStated | None) -> Price:
    """A YES price for contracts whose purchase nobody knows: their stated cost, else the mark."""
    if row is not None and row.net.units * rest.units > 0:
        own = row.exposure.units // abs(row.net.units)
        if 0 < own < ONE_DOLLAR.units:
            return Price(own) if rest > ZERO_COUNT else Price(own).complement()
    mark = state.mark(ticker)
    return Price.of_cents(50) if mark is None else mark


def _differs(
    state: State,
    given: PositionsRead,
    ticker: Ticker,
    *,
    ours: Count,
    theirs: Count,
    out: list[Effect],
) -> None:
    key = (given.subaccount, ticker)
    known = state.differences.get(key)
    since = given.at if known is None else known.since
    reads = 1 if known is None else known.reads + 1
    halts = known is not None and known.halts
    found = Difference(ours=ours, theirs=theirs, since=since, reads=reads, halts=halts)
    if not halts and reads >= READS_MIN and given.at - since >= PATIENCE:
        found = replace(found, halts=True)
        words = (
            f"{ticker} on subaccount {given.subaccount} is halted: {found}. It goes on once both "
            "agree; arming again takes the exchange's word"
        )
        out.append(Alert(at=state.now, kind=AlertKind.HALT, words=words))
    state.differences[key] = found


def _agrees(state: State, place: Subaccount, ticker: Ticker, out: list[Effect]) -> None:
    known = state.differences.pop((place, ticker), None)
    if known is not None and known.halts:
        words = f"{ticker} on subaccount {place} goes on: the positions agree again"
        out.append(Alert(at=state.now, kind=AlertKind.LIFTED, words=words))
