"""What happens to members' orders, as execution reports; and the reports of the last hours.

Execution ids are ``clock;event;exchange index``: the number of the exchange's step, and
that of the event in it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec

from trueup.core.ids import OrderId
from trueup.core.instant import HOUR, Instant
from trueup.core.orders import OrderStatus
from trueup.core.units import Count
from trueup.net.acceptor.fix_refusals import end_text
from trueup.net.acceptor.fix_terms import Subscriber
from trueup.sim.commands import Member
from trueup.sim.events import Event, FillMade, OrderChange, OrderUpdated
from trueup.wire.fix.messages.orders import ExecutionReport
from trueup.wire.fix.translate import write_report, write_trade
from trueup.wire.fix.words import ExecType, OrderState

LOOKBACK: Final = 3 * HOUR
"""How far back executions are replayed."""

_EXPIRES: Final = frozenset({OrderChange.EXPIRY_CANCEL, OrderChange.CLOSE_CANCEL})
_EXECUTION: Final = re.compile(r"([0-9]{1,18});([0-9]{1,9})(?:;([0-9]{1,4}))?\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a step carries out: the report of its order repeats these names."""

    order_id: OrderId
    client_order_id: str
    original: str


@dataclass(frozen=True, slots=True)
class Reported:
    """One report, and what decides who gets it in which words."""

    updated: OrderUpdated
    report: ExecutionReport
    is_folded: bool
    """A New that a trade of the same matching cycle makes superfluous."""

    def for_subscriber(self, subscriber: Subscriber) -> ExecutionReport | None:
        """The report as this subscriber gets it; `None` when it is left out for it."""
        logon = subscriber.logon
        if self.is_folded and not logon.always_emit_new_before_trade:
            return None
        if self.updated.why in _EXPIRES and logon.use_expired_status:
            return msgspec.structs.replace(
                self.report, execution_type=ExecType.EXPIRED, order_status=OrderState.EXPIRED
            )
        return self.report


class ReportWriter:
    """Writes the reports of one step after the other."""

    def __init__(self) -> None:
        self._clock = 0

    def write(
        self, events: tuple[Event, ...], members: Collection[Member], asked: Asked | None
    ) -> list[Reported]:
        """The reports of a step about the orders of these members."""
        self._clock += 1
        traded: set[OrderId] = set()
        made: FillMade | None = None
        own: list[tuple[int, OrderUpdated, FillMade | None]] = []
        for number, event in enumerate(events):
            if isinstance(event, FillMade):
                made = event
                traded.add(event.terms.order_id)
            elif isinstance(event, OrderUpdated) and event.terms.member in members:
                own.append((number, event, made if event.why is OrderChange.TRADE else None))
        return [
            Reported(
                updated,
                self._report(number, updated, fill, asked),
                updated.why is OrderChange.PLACED and updated.terms.order_id in traded,
            )
            for number, updated, fill in own
        ]

    def _report(
        self, number: int, updated: OrderUpdated, made: FillMade | None, asked: Asked | None
    ) -> ExecutionReport:
        execution_id = f"{self._clock};{number};{updated.shard}"
        order = updated.order
        if made is not None:
            return write_trade(
                made.filled, order, execution_id=execution_id, net_after=Count(made.net_units)
            )
        is_asked = asked is not None and asked.order_id == order.order_id
        return write_report(
            order,
            _kind(updated),
            execution_id=execution_id,
            client_order_id=asked.client_order_id if asked and is_asked else "",
            original_client_order_id=asked.original if asked and is_asked else "",
            text=end_text(updated) if updated.status is OrderStatus.CANCELED else "",
        )


def _kind(updated: OrderUpdated) -> ExecType:
    if updated.status is OrderStatus.CANCELED:
        return ExecType.CANCELED
    return ExecType.NEW if updated.why is OrderChange.PLACED else ExecType.REPLACED


_SERVER_ERROR: Final = "2"
_TOO_SMALL: Final = "3"
_TOO_LARGE: Final = "4"


class Reports:
    """The reports of the last three hours of each member, oldest first."""

    def __init__(self) -> None:
        self._kept: dict[Member, deque[Reported]] = {}

    def keep(self, reported: Reported) -> None:
        """Keep one more report, and let go of those that are too old."""
        kept = self._kept.setdefault(reported.updated.member, deque())
        kept.append(reported)
        oldest = Instant(reported.updated.at - LOOKBACK)
        while kept[0].updated.at < oldest:
            kept.popleft()

    def replay(self, subscriber: Subscriber, begin: str, end: str | None) -> list[Reported] | str:
        """The reports from one execution id to another, of one shard; or the code of why not
        (EventResendRejectReason, 21004).
        """
        first = _EXECUTION.match(begin)
        last = None if end is None else _EXECUTION.match(end)
        if first is None or (end is not None and last is None):
            return _SERVER_ERROR
        shard = int(first[3] or 0)
        kept = [
            one
            for one in self._kept.get(subscriber.member, ())
            if one.updated.shard == shard
            and subscriber.sees(one.updated.member, one.updated.terms.subaccount)
        ]
        places = [_place(one.report.execution_id) for one in kept]
        low = (int(first[1]), int(first[2]))
        if not places or low < places[0]:
            return _TOO_SMALL
        high = places[-1] if last is None else (int(last[1]), int(last[2]))
        if high > places[-1]:
            return _TOO_LARGE
        return [one for one, place in zip(kept, places, strict=True) if low <= place <= high]


def _place(execution_id: str) -> tuple[int, int]:
    clock, event, _ = execution_id.split(";")
    return int(clock), int(event)
