"""Every operation that trueup speaks, in one declarative table.

The calls take method, path, cost and limits from here, and the sandbox routes
from the same table.  Names, defaults and bounds are those of the exchange's
OpenAPI description 3.34; costs other than ten tokens are from its
``/account/endpoint_costs``.  The entries stand in `operations`, one file per
section.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trueup.wire.rest.operations import (
    account,
    communications,
    events,
    exchange,
    fcm,
    historical,
    markets,
    order_groups,
    orders,
    portfolio,
    reference,
)
from trueup.wire.rest.operations.operation import Operation

__all__ = ["OPERATIONS", "Operation", "listed_path", "route", "template_of"]

_OPERATIONS: Final = (
    *exchange.OPERATIONS,
    *markets.OPERATIONS,
    *events.OPERATIONS,
    *orders.OPERATIONS,
    *order_groups.OPERATIONS,
    *portfolio.OPERATIONS,
    *account.OPERATIONS,
    *historical.OPERATIONS,
    *communications.OPERATIONS,
    *reference.OPERATIONS,
    *fcm.OPERATIONS,
)

OPERATIONS: Final[Mapping[str, Operation]] = {each.name: each for each in _OPERATIONS}
"""The table, by the exchange's operation id."""

_LEARNED_PREFIX: Final = "/trade-api/v2"


def route(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request means, with the values of its path's placeholders.

    `path` has no ``/trade-api/v2`` prefix and no query.  A literal path wins
    over a placeholder (``/series/fee_changes`` is not a series).  `None` when
    this table has no such operation.
    """
    segments = path.split("/")
    best: tuple[Operation, dict[str, str]] | None = None
    for operation in _OPERATIONS:
        if operation.method != method:
            continue
        values = _match(operation.template, segments)
        if values is not None and (best is None or len(values) < len(best[1])):
            best = operation, values
    return best


def _match(template: str, segments: list[str]) -> dict[str, str] | None:
    wanted = template.split("/")
    if len(wanted) != len(segments):
        return None
    values: dict[str, str] = {}
    for want, segment in zip(wanted, segments, strict=True):
        if want.startswith("{") and segment:
            values[want[1:-1]] = segment
        elif want != segment:
            return None
    return values


def template_of(listed_path: str) -> str:
    """The template that a path of ``/account/endpoint_costs`` stands for.

    The exchange lists ``/trade-api/v2/portfolio/orders/:order_id`` where its
    documentation, and this table, say ``/portfolio/orders/{order_id}``.
    """
    parts = listed_path.removeprefix(_LEARNED_PREFIX).split("/")
    return "/".join(f"{{{part[1:]}}}" if part.startswith(":") else part for part in parts)


def listed_path(template: str) -> str:
    """The path under which ``/account/endpoint_costs`` lists a template."""
    return _LEARNED_PREFIX + template.replace("{", ":").replace("}", "")
