"""Positions: ``/portfolio/positions`` and ``/historical/positions``.

Only the rows per market are read; the rows per event say the same once more.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.statements import PositionStated
from trueup.core.units import Money
from trueup.wire import values
from trueup.wire.rest.reading import RecordDecoder, field_names
from trueup.wire.values import Number

KNOWN: Final = field_names(
    """
    ticker exchange_index total_traded_dollars position_fp market_exposure_dollars
    realized_pnl_dollars fees_paid_dollars last_updated_ts
    total_traded position market_exposure realized_pnl fees_paid resting_orders_count
    """
)
"""The second group is of before March 2026, ``resting_orders_count`` until July."""


class PositionRecord(msgspec.Struct, gc=False):
    """The fields of a position that are read, in all forms."""

    ticker: str
    last_updated_ts: str
    position_fp: Number | None = None
    position: Number | None = None
    market_exposure_dollars: Number | None = None
    market_exposure: Number | None = None
    realized_pnl_dollars: Number | None = None
    realized_pnl: Number | None = None
    fees_paid_dollars: Number | None = None
    fees_paid: Number | None = None
    total_traded_dollars: Number | None = None
    total_traded: Number | None = None
    exchange_index: int | None = None


_decode: Final = RecordDecoder(PositionRecord)


def read_position(raw: bytes, asked: Subaccount | None = None) -> PositionStated:
    """One row of the positions listing.

    Rows do not name their subaccount: it is the one `asked` for.  The listing
    of the exchange itself means the primary account when none is named.
    """
    row = _decode(raw)
    held = row.position if row.position_fp is None else row.position_fp
    if held is None:
        raise ProtocolBroken("a position without position_fp or position")
    return PositionStated(
        ticker=Ticker(row.ticker),
        net=values.count(held),
        exposure=_money(row.market_exposure_dollars, row.market_exposure, "market_exposure"),
        realized=_money(row.realized_pnl_dollars, row.realized_pnl, "realized_pnl"),
        fees_paid=_money(row.fees_paid_dollars, row.fees_paid, "fees_paid"),
        total_traded=_money(row.total_traded_dollars, row.total_traded, "total_traded"),
        updated_at=values.instant(row.last_updated_ts),
        subaccount=Subaccount(asked or 0),
        shard=Shard(row.exchange_index or 0),
    )


def _money(dollars: Number | None, cents: Number | None, field: str) -> Money:
    if dollars is not None:
        return values.dollars(dollars)
    if cents is None:
        raise ProtocolBroken(f"a position without {field}_dollars or {field}")
    return values.exact_cents(cents)
