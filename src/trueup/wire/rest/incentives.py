"""The section of incentive programs: rewards for quoting and trading."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Money
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import CENTI_CENTS, SMALL, TIME, WHOLE_COUNT, open_word
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire

_TYPES: Final = open_word("liquidity", "volume", "margin_maker_volume", "margin_taker_volume")


class IncentiveProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A reward for one market and one period; `discount_bps` in 1/100 percent."""

    program_id: Annotated[str, Wire("id")]
    market_id: str = ""
    market_ticker: Ticker
    type: Annotated[str, Wire("incentive_type", _TYPES)]
    description: Annotated[str, Wire("incentive_description")] = ""
    start_at: Annotated[Instant, Wire("start_date", TIME)]
    end_at: Annotated[Instant, Wire("end_date", TIME)]
    reward: Annotated[Money, Wire("period_reward", CENTI_CENTS)]
    is_paid_out: Annotated[bool, Wire("paid_out")]
    discount_bps: Annotated[int | None, Wire("discount_factor_bps", SMALL)] = None
    target_size: Annotated[
        Count | None, Wire("target_size_fp", old=(("target_size", WHOLE_COUNT),))
    ] = None
    reward_max: Annotated[Money | None, Wire("max_reward_per_account", CENTI_CENTS)] = None


PROGRAM: Final = Shape(IncentiveProgram, "IncentiveProgram")


def programs(
    *,
    status: str = "",
    kind: str = "",
    description: str = "",
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[IncentiveProgram]]:
    """Programs.  `status` is ``all``, ``active``, ``upcoming``, ``closed`` or ``paid_out``."""
    return request(
        "GetIncentivePrograms",
        PROGRAM.pages("incentive_programs", cursor="next_cursor"),
        query={
            "status": status,
            "type": kind,
            "incentive_description": description,
            "limit": limit,
            "cursor": cursor,
        },
    )
