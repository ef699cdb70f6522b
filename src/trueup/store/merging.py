"""What to believe when the exchange reports one thing twice, differently.  Pure.

An order is a merged view: reads lag writes, so a ``resting`` report may arrive
after ``canceled``; a terminal state wins and the fill count only grows.  A
fact may be told with less at first (the old wire form has no fee): a version
that only adds what was unknown *completes* it and is no revision.
"""

from __future__ import annotations

from typing import Final

from trueup.core.facts import OrderReported
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import is_terminal, merged_status
from trueup.core.statements import MarketStated
from trueup.store.driver import AnyRow

_MILLISECOND: Final = SECOND // 1000


def only_adds(known: AnyRow, told: AnyRow, *, moment: int, owner: int | None = None) -> bool:
    """Whether `told` says all of `known`, and more where `known` had nothing.

    `moment` is the place in the row of the exchange's time: one cut to whole
    seconds or milliseconds (as some channels have it) is less, not another time.
    `owner` is the place of the subaccount: 0 may be what nobody named.
    """
    return all(
        old is None
        or old == new
        or (place == moment and _is_cut(old, new))
        or (place == owner and not old)
        for place, (old, new) in enumerate(zip(known, told, strict=True))
    )


def with_known(known: AnyRow, told: AnyRow, *, moment: int, owner: int | None = None) -> AnyRow:
    """`told`, and what is known already where it says less; see `only_adds`."""
    return tuple(
        [
            old
            if new is None
            or (place == owner and not new)
            or (place == moment and _is_cut(new, old))
            else new
            for place, (old, new) in enumerate(zip(known, told, strict=True))
        ]
    )


def _is_cut(old: int | None, new: int | None) -> bool:
    return (
        old is not None
        and new is not None
        and any(old % step == 0 and new // step == old // step for step in (SECOND, _MILLISECOND))
    )


def merge_order(known: OrderReported, told: OrderReported) -> OrderReported:
    """One order from two reports of it, whichever came first."""
    status = merged_status(known.status, told.status)
    later, earlier = (told, known) if _rank(told) >= _rank(known) else (known, told)
    deciding = later if later.status is status else earlier
    return OrderReported(
        order_id=later.order_id,
        client_order_id=later.client_order_id or earlier.client_order_id,
        ticker=later.ticker,
        side=later.side,
        status=status,
        price=later.price,
        initial_count=later.initial_count,
        fill_count=max(known.fill_count, told.fill_count),
        remaining_count=deciding.remaining_count,
        taker_fees=max(known.taker_fees, told.taker_fees),
        maker_fees=max(known.maker_fees, told.maker_fees),
        taker_fill_cost=max(known.taker_fill_cost, told.taker_fill_cost),
        maker_fill_cost=max(known.maker_fill_cost, told.maker_fill_cost),
        created_at=min(known.created_at, told.created_at),
        updated_at=max(known.updated_at, told.updated_at),
        # Zero may be what nobody named; an order never changes its subaccount.
        subaccount=later.subaccount or earlier.subaccount,
        shard=later.shard or earlier.shard,
    )


def _rank(order: OrderReported) -> tuple[bool, Instant, int]:
    return (is_terminal(order.status), order.updated_at, order.fill_count.units)


def supersedes(known: MarketStated, told: MarketStated) -> bool:
    """Whether a later observation of a market replaces the earlier one.

    A finalized market stays final: another answer is a read that lags.  It may
    be finalized again with another result.
    """
    final = MarketStatus.FINALIZED
    return known.status is not final or told.status is final


def changes_books(known: MarketStated | None, told: MarketStated) -> bool:
    """Whether the books of this market's holders must be made again."""
    if known is None:
        return told.status is MarketStatus.FINALIZED
    return _outcome(told) != _outcome(known)


def _outcome(market: MarketStated) -> tuple[object, ...]:
    final = market.status is MarketStatus.FINALIZED
    # Without the time of its settlement a result pays nothing yet.
    return final, market.result, market.settlement_value, market.settled_at is None
