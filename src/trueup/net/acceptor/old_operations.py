"""The operations of earlier exchanges, and which of them a personality knows.

The first order API took orders in the words buy and sell, yes and no.  It is
gone since late June 2026 (410); the second one came in April 2026.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trueup.net.acceptor.forms import Personality
from trueup.wire.rest.table import OPERATIONS, Operation

_ORDERS: Final = "/portfolio/orders"

_FIRST_API: Final = (
    Operation(
        name="CreateOrder",
        template=_ORDERS,
        method="POST",
        has_body=True,
        success=201,
        idempotent=False,
    ),
    Operation(
        name="CancelOrder",
        template=_ORDERS + "/{order_id}",
        method="DELETE",
        query=("subaccount",),
        idempotent=False,
    ),
    Operation(
        name="AmendOrder",
        template=_ORDERS + "/{order_id}/amend",
        method="POST",
        has_body=True,
        idempotent=False,
    ),
    Operation(
        name="DecreaseOrder",
        template=_ORDERS + "/{order_id}/decrease",
        method="POST",
        has_body=True,
        idempotent=False,
    ),
    Operation(
        name="BatchCreateOrders",
        template=_ORDERS + "/batched",
        method="POST",
        has_body=True,
        success=201,
        per_item=True,
        idempotent=False,
    ),
    Operation(
        name="BatchCancelOrders",
        template=_ORDERS + "/batched",
        method="DELETE",
        has_body=True,
        per_item=True,
        cost=2,
        idempotent=False,
    ),
)
"""Ten tokens are one request; a cancellation in a batch counted as a fifth of one."""

_ANNOUNCEMENTS: Final = Operation(
    name="GetExchangeAnnouncements", template="/exchange/announcements", signed=False
)
"""Gone since July 2026."""

_DEPRECATED_COSTS: Final = {"CreateOrder": 20, "CancelOrder": 4, "BatchCreateOrders": 20}
"""What the first API cost in the month before it went."""


def operations_of(personality: Personality) -> tuple[Operation, ...]:
    """Everything that can be asked of an exchange of that time."""
    present = tuple(OPERATIONS.values())
    match personality:
        case Personality.PRESENT:
            return present
        case Personality.JUNE_2026:
            dear = (
                replace(each, cost=_DEPRECATED_COSTS.get(each.name, each.cost))
                for each in _FIRST_API
            )
            return (*present, *dear, _ANNOUNCEMENTS)
        case Personality.MARCH_2026 | Personality.OLD:
            before = (each for each in present if not each.template.startswith(_SECOND_API))
            plain = (replace(each, cost=10) for each in before)
            return (*plain, *_FIRST_API, _ANNOUNCEMENTS)


_SECOND_API: Final = "/portfolio/events/orders"
