"""Messages of FIX that could not be read or booked: read again, or explained by REST.

A trade without TrdMatchID (880) has no name by which it could be told from others, so it is
booked by nobody.  REST's row of the same order, with the same price and count within a
second, is the same fill: once that is there, the message has nothing more to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trueup.core.errors import ProtocolBroken
from trueup.core.facts import Filled, Source, Stream
from trueup.core.ids import OrderId, Ticker
from trueup.core.instant import SECOND
from trueup.core.observations import Observation, Quarantined
from trueup.store.database import Books
from trueup.wire.fix.codec import Codec, Received
from trueup.wire.fix.errors import FixBroken
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.orders import ExecutionReport
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.settlement import party_bytes, read_page
from trueup.wire.fix.words import ExecType

_SAME_MOMENT: Final = SECOND


def reread_fix(books: Books) -> int:
    """Deal with kept messages of FIX; returns how many left the quarantine.

    The caller holds the writer lease, and books afterwards.
    """
    done = [
        record
        for record in books.quarantined()
        if record.source is Source.FIX and (_booked(books, record) or _explained(books, record))
    ]
    books.forget_quarantined(done)
    return len(done)


def _booked(books: Books, record: Quarantined) -> bool:
    """Whether a settlement page could be read now; it is in the journal then."""
    if record.stream is not Stream.SETTLEMENT_REPORTS:
        return False
    for received in _read(record.raw):
        if not isinstance(received.message, MarketSettlementReport):
            continue
        try:
            page, parties = read_page(received.message, received.header)
        except ProtocolBroken:
            return False
        head, groups = party_bytes(record.raw, len(parties))
        seen = (Source.FIX, record.observed_at)
        books.append_page(
            Observation(page, *seen, head),
            [Observation(each, *seen, raw) for each, raw in zip(parties, groups, strict=True)],
        )
        return True
    return False


def _explained(books: Books, record: Quarantined) -> bool:
    """Whether REST has told the fill that a trade without a name is."""
    if record.stream is not Stream.FILLS:
        return False
    # The kept bytes do not say in which unit the session wrote its prices.
    return any(
        isinstance(received.message, ExecutionReport)
        and any(_is(received.message, fill) for fill in _fills(books, received.message))
        for received in _read(record.raw)
    )


def _read(raw: bytes) -> Iterator[Received]:
    for unit in PriceUnit:
        try:
            yield Codec(reads=Sender.EXCHANGE, unit=unit).decode(raw)
        except FixBroken:
            continue


def _fills(books: Books, report: ExecutionReport) -> Iterator[Filled]:
    if report.execution_type is ExecType.TRADE:
        order = OrderId(report.order_id)
        yield from (
            fill for fill in books.fills(ticker=Ticker(report.symbol)) if fill.order_id == order
        )


def _is(report: ExecutionReport, fill: Filled) -> bool:
    """Whether an unnamed trade and a fill of its order are the same."""
    at = report.transact_time
    return (
        (report.last_price, report.last_quantity) == (fill.price, fill.count)
        and at is not None
        and abs(at - fill.at) <= _SAME_MOMENT
    )
