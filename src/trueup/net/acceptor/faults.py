"""Faults on purpose: what a client must survive, switched on by name.

A `Faults` value says what goes wrong; nothing goes wrong by default.  Faults of
a whole answer (no service, a cut body) hit the first so many requests of the
server; faults of rows are there all the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec

from trueup.core.instant import Instant, parse_instant
from trueup.net.acceptor import replies
from trueup.net.acceptor.replies import JSON, Content, Reply
from trueup.wire.spelling import Record

_ENUMS: Final = {
    "GetSettlements": "market_result",
    "GetFills": "outcome_side",
    "GetOrders": "status",
    "GetMarkets": "status",
    "GetDeposits": "status",
}
"""Which field gets the strange word."""

STRANGE_WORD: Final = "partly_cloudy"
STRANGE_FIELD: Final = "brand_new_field"

ENDLESS: Final = "never-ending"
"""The cursor that leads to the same page again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong.

    `after` requests pass before the counted faults begin.  The counted ones come
    in this order: `unavailable` times 503, `storm` times 429, `truncated` times a
    body cut in half, `not_json` times a page of HTML with status 200.

    `slow` is the delay of every answer in seconds.  The sets name operations or
    tickers: whose cursors never end, whose items carry an unknown field, whose
    first item has an unknown word, which settlement rows are missing or come
    twice, by how many microseconds they come late, by how many cents their
    revenue differs.
    """

    after: int = 0
    unavailable: int = 0
    storm: int = 0
    truncated: int = 0
    not_json: int = 0
    slow: float = 0
    endless_cursor: frozenset[str] = frozenset()
    unknown_field: frozenset[str] = frozenset()
    unknown_word: frozenset[str] = frozenset()
    settlements_missing: frozenset[str] = frozenset()
    settlements_twice: frozenset[str] = frozenset()
    settlements_late: Mapping[str, int] = field(default_factory=dict[str, int])
    settlements_changed: Mapping[str, int] = field(default_factory=dict[str, int])


class FaultLine:
    """Applies faults, and counts the requests they have hit."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._seen = 0

    def before(self) -> Reply | None:
        """An answer that the request gets at once instead of its own, or `None`."""
        place = self._seen - self.faults.after
        self._seen += 1
        if 0 <= place < self.faults.unavailable:
            return replies.UNAVAILABLE
        place -= self.faults.unavailable
        if 0 <= place < self.faults.storm:
            return replies.TOO_MANY
        return None

    def after(self, reply: Reply) -> Reply:
        """The answer, or what is left of it."""
        faults = self.faults
        place = self._seen - 1 - faults.after - faults.unavailable - faults.storm
        if 0 <= place < faults.truncated:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], JSON)
        place -= faults.truncated
        if 0 <= place < faults.not_json:
            return Reply(200, b"<html><body>Please wait...</body></html>", JSON)
        return reply

    def alter(self, operation: str, content: Content, at: Instant) -> Content:
        """The answer with its rows and its cursor changed as asked."""
        faults = self.faults
        if not content.rows or not self._concerns(operation):
            return content
        rows = [_record(row) for row in cast("list[object]", content.tree[content.rows])]
        if operation == "GetSettlements":
            rows = [changed for row in rows for changed in self._settlement(row, at)]
        if operation in faults.unknown_field:
            rows = [{**row, STRANGE_FIELD: {"why": [1, 2.5, None]}} for row in rows]
        if operation in faults.unknown_word and rows and operation in _ENUMS:
            rows[0] = {**rows[0], _ENUMS[operation]: STRANGE_WORD}
        tree: Record = {**content.tree, content.rows: rows}
        if operation in faults.endless_cursor and rows:
            tree["cursor"] = ENDLESS
        return Content(tree, content.rows, content.status)

    def _concerns(self, operation: str) -> bool:
        faults = self.faults
        named = faults.endless_cursor | faults.unknown_field | faults.unknown_word
        return operation in named or operation == "GetSettlements"

    def _settlement(self, row: Record, at: Instant) -> list[Record]:
        """A settlement row as often, and as changed, as asked."""
        faults = self.faults
        ticker = str(row.get("ticker") or row.get("market_ticker"))
        if ticker in faults.settlements_missing:
            return []
        delay = faults.settlements_late.get(ticker, 0)
        if delay and at < parse_instant(str(row["settled_time"])) + delay:
            return []
        difference = faults.settlements_changed.get(ticker, 0)
        if difference:
            row = {**row, "revenue": cast("int", row["revenue"]) + difference}
        return [row, row] if ticker in faults.settlements_twice else [row]


def _record(row: object) -> Record:
    """A row as a dictionary; recorded ones are still text."""
    if isinstance(row, msgspec.Raw):
        return cast("Record", msgspec.json.decode(row))
    return cast("Record", row)
