"""Faults on purpose: what a client must survive.

Two kinds are carried out here.  A `Faults` value is exact: so many answers of
this kind, these rows of that ticker; it is what tests of one behaviour want.  A
`FaultPlan` (`trueup.sim.faults`) holds profiles by name with shares and windows
that are switched on and off while the sandbox runs; this file asks it "what
now?" and does as it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec

from trueup.core.errors import InvariantBroken
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.units import Money
from trueup.net.acceptor import replies
from trueup.net.acceptor.replies import JSON, Content, Reply
from trueup.sim.faults import AnswerFate, FaultPlan
from trueup.wire.spelling import Record, dollars

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

_AT_ONCE: Final = {
    AnswerFate.UNAVAILABLE: replies.UNAVAILABLE,
    AnswerFate.TOO_MANY: replies.TOO_MANY,
}
_FILLS: Final = frozenset({"GetFills", "GetFillsHistorical"})
_FEE_UNIT: Final = 100
"""1/10,000 dollar in `Money` units."""

_REFUSED: Final = 400

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


class _NoChance:
    """For a plan without any fault, which decides nothing."""

    def randrange(self, start: int, stop: int, /) -> int:
        """Never asked."""
        raise InvariantBroken(f"a plan without faults drew from {start} to {stop}")

    def getrandbits(self, k: int, /) -> int:
        """Never asked."""
        raise InvariantBroken(f"a plan without faults drew {k} bits")


@dataclass(frozen=True, slots=True)
class Fate:
    """What will become of one request: an answer at once, or what is done to its own."""

    reply: Reply | None
    plan: AnswerFate
    place: int


class FaultLine:
    """Applies faults, and counts the requests they have hit."""

    def __init__(self, faults: Faults, plan: FaultPlan | None = None) -> None:
        self.faults = faults
        self.plan = FaultPlan(_NoChance()) if plan is None else plan
        self._seen = 0

    def delay(self, at: Instant) -> float:
        """How many seconds the answer to a request is held back."""
        return self.faults.slow + self.plan.delay(at) / SECOND

    def before(self, at: Instant, *, is_write: bool) -> Fate:
        """What will become of a request that comes now."""
        place = self._seen - self.faults.after
        self._seen += 1
        counted: Reply | None = None
        if 0 <= place < self.faults.unavailable:
            counted = replies.UNAVAILABLE
        place -= self.faults.unavailable
        if 0 <= place < self.faults.storm:
            counted = replies.TOO_MANY
        place -= self.faults.storm
        planned = self.plan.answer_fate(at, is_write=is_write)
        return Fate(counted or _AT_ONCE.get(planned), planned, place)

    def after(self, fate: Fate, reply: Reply) -> Reply:
        """The answer, or what is left of it."""
        faults, place = self.faults, fate.place
        if 0 <= place < faults.truncated:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], JSON)
        place -= faults.truncated
        if 0 <= place < faults.not_json:
            return Reply(200, b"<html><body>Please wait...</body></html>", JSON)
        if fate.plan is AnswerFate.LOST_AFTERWARDS:
            return replies.UNAVAILABLE
        if fate.plan is AnswerFate.EMPTY and reply.status < _REFUSED:
            return Reply(reply.status, b"{}", JSON)
        return reply

    def alter(self, operation: str, content: Content, at: Instant) -> Content:
        """The answer with its rows and its cursor changed as asked."""
        faults = self.faults
        if not content.rows or not self._concerns(operation):
            return content
        rows = [_record(row) for row in cast("list[object]", content.tree[content.rows])]
        if operation == "GetSettlements":
            rows = [changed for row in rows for changed in self._settlement(row, at)]
        if operation in _FILLS:
            rows = [self._fill(row, at) for row in rows]
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
        return operation in named or operation == "GetSettlements" or operation in _FILLS

    def _settlement(self, row: Record, at: Instant) -> list[Record]:
        """A settlement row as often, and as changed, as asked."""
        faults = self.faults
        ticker = str(row.get("ticker") or row.get("market_ticker"))
        if ticker in faults.settlements_missing:
            return []
        delay = faults.settlements_late.get(ticker, 0)
        if delay and at < parse_instant(str(row["settled_time"])) + delay:
            return []
        settled_at = parse_instant(str(row["settled_time"]))
        difference = faults.settlements_changed.get(ticker, 0)
        difference += self.plan.settlement_revised(at, ticker, settled_at)
        if difference and "revenue" in row:
            row = {**row, "revenue": cast("int", row["revenue"]) + difference}
        copies = self.plan.settlement_copies(at, ticker, settled_at)
        if copies and ticker in faults.settlements_twice:
            copies = 2
        return [row] * copies

    def _fill(self, row: Record, at: Instant) -> Record:
        """A fill with its fee as asked."""
        off = self.plan.fee_off(at, str(row.get("ticker")), str(row.get("trade_id")))
        fee = row.get("fee_cost")
        if not off or not isinstance(fee, str):
            return row
        return {**row, "fee_cost": dollars(Money.parse(fee) + Money(off * _FEE_UNIT))}


def _record(row: object) -> Record:
    """A row as a dictionary; recorded ones are still text."""
    if isinstance(row, msgspec.Raw):
        return cast("Record", msgspec.json.decode(row))
    return cast("Record", row)
