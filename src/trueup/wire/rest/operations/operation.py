"""What the table says about one operation."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.wire.rest.call import DEFAULT_COST


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the REST API.

    `template` is the path without ``/trade-api/v2``.  `query` are the names of
    its query parameters.  `limit_default` is the page size when none is asked
    for, `limit_maximum` the largest: a larger one is refused, not clamped.
    Both are `None` where there are no pages; `limit_name` is the parameter's
    name.  `idempotent` operations may be repeated.  `signed` is false for what
    needs no key.  `has_body` operations take a JSON object; `success` is the
    HTTP status of a good answer.  `per_item` operations take a batch: their cost
    is that of one item.
    """

    name: str
    template: str
    method: str = "GET"
    query: tuple[str, ...] = ()
    limit_name: str = "limit"
    limit_default: int | None = None
    limit_minimum: int = 1
    limit_maximum: int | None = None
    cost: int = DEFAULT_COST
    signed: bool = True
    idempotent: bool = True
    has_body: bool = False
    success: int = 200
    per_item: bool = False
