"""What a FIX session tells becomes books, message by message.

A page of a settlement report and its parties are one transaction; executions become fills
and orders.  The same fill told by REST has the same identity: REST calls the trade by the
id that FIX has in TrdMatchID (880).  A trade without that id cannot be told from others
and is booked by nobody: it waits as unreadable until REST's row of the same order, price,
count and second explains it (`trueup.run.books.rereading`).

The writer lease is taken for as long as messages keep coming and given back when they
pause.  While somebody else writes, what comes is handed over to them: it is durable
before the session counts it as received.  Memory holds only what is in flight: orders of
which more is to come, at most `ORDERS_MAX`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from trueup.core.errors import ProtocolBroken
from trueup.core.facts import Filled, OrderReported, Source, Stream
from trueup.core.ids import OrderId
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.orders import is_terminal
from trueup.ledger.coverage import Span
from trueup.net.fix.store import NOT_HEARD, SessionStore
from trueup.run.books.account import BEAT_EVERY, Account
from trueup.run.books.booking import report_terms
from trueup.run.clock import SystemClock
from trueup.run.views import number_of
from trueup.store.database import Books
from trueup.store.journal import Appended
from trueup.wire.fix.codec import Received
from trueup.wire.fix.errors import Unusable
from trueup.wire.fix.messages.orders import ExecutionReport
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.settlement import party_bytes, read_page
from trueup.wire.fix.translate import OrderReports, is_pending, read_fill
from trueup.wire.fix.words import ExecType

ORDERS_MAX: Final = 10_000
"""Of how many living orders the reports are added up; the oldest one makes room."""

BOOK_EVERY: Final = 5 * SECOND
"""How often is booked while messages keep coming."""

BOOKING_SHARE: Final = 20
"""Booking takes no more than one part in so many of the time: a large batch is booked seldom."""

_ROLE: Final = "fix listener"
_STREAMS: Final = {
    MarketSettlementReport.TYPE: Stream.SETTLEMENT_REPORTS,
    ExecutionReport.TYPE: Stream.FILLS,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one message: in a few words, and whether it was new."""

    words: str
    is_new: bool


class FixBooks:
    """The books of an account as the listener of one FIX session writes them.

    `store` holds the numbers of the session and up to when they were heard here.  Close it, or use it in a `with`: that books what is left and gives the lease back.
    """

    def __init__(
        self,
        account: Account,
        kind: SessionKind,
        key_id: str,
        *,
        store: SessionStore,
        retention_hours: int,
    ) -> None:
        self._account = account
        self._session = f"{kind.value}/{key_id}"
        self._books: Books = account.desk.books()
        self._kind = kind
        self._store = store
        self._retention = retention_hours * HOUR
        self._clock = SystemClock()
        self._orders: OrderedDict[OrderId, OrderReports] = OrderedDict()
        self._heard_until: Instant | None = None
        self._is_writer = False
        self._beaten_at, self._book_next = Instant(0), 0
        self._has_news = self._has_handed_over = False

    # What the session says about itself

    def logged_on(self, *, was_reset: bool, at: Instant) -> None:
        """The session is there: nothing was missed if it only went on.

        PT and RT send again what was missed, for as long as was asked for (20200), and only
        while the numbers go on (the exchange's page *FIX connectivity*).  So what is heard
        reaches back over the absence only where these books heard everything up to the
        numbers that the session begins with: nobody else took messages since, and nobody
        asked for a reset.
        """
        last = self._books.heard(self._streams[0], self._session)
        until = last[-1].until if last else NOT_HEARD
        is_ours = NOT_HEARD < self._store.heard_until <= until
        goes_on = self._kind.terms.retransmits and not was_reset and is_ours
        self._is_heard(until if goes_on and at - until <= self._retention else at)

    def missed(self, at: Instant) -> None:
        """Something will never come: what is heard from now on does not reach back over it."""
        self._is_heard(at)

    def _is_heard(self, until: Instant) -> None:
        self._heard_until = until
        self._store.hear(until)

    def heard(self, at: Instant) -> None:
        """Everything up to here came."""
        since = self._heard_until
        if since is None or at <= since:
            return
        for stream in self._streams:
            self._books.note_heard(stream, Span(since, at), self._session)
        self._is_heard(at)

    @property
    def _streams(self) -> tuple[Stream, ...]:
        """What this session tells all of."""
        if self._kind is SessionKind.PT:
            return (Stream.SETTLEMENT_REPORTS,)
        return Stream.SETTLEMENT_REPORTS, Stream.FILLS

    # What it tells

    def take(self, received: Received, raw: bytes, at: Instant) -> Taken | None:
        """Put one message into the books; `None` for one that they do not hold.

        When this returns it is durable, here or with whoever holds the lease.
        """
        header = received.header
        match received.message:
            case MarketSettlementReport() as page:
                taken = self._page(page, received, raw, at)
            case ExecutionReport() as report if not is_pending(report):
                taken = self._execution(report, raw, at)
            case _:
                taken = None
        self.heard(header.original_sending_time or header.sending_time)
        return taken

    def unreadable(self, error: Unusable, at: Instant) -> None:
        """A message that cannot be read: kept raw where it may be about money."""
        stream = _STREAMS.get(error.message_type)
        if stream is not None:
            self._quarantine(stream, str(error), error.raw, at)

    def _page(
        self, page: MarketSettlementReport, received: Received, raw: bytes, at: Instant
    ) -> Taken:
        try:
            stated, parties = read_page(page, received.header)
            head, groups = party_bytes(raw, len(parties))
        except ProtocolBroken as error:
            self._quarantine(Stream.SETTLEMENT_REPORTS, str(error), raw, at)
            return Taken(f"kept and not booked: {error}", is_new=True)
        of_page = Observation(stated, Source.FIX, at, head)
        of_parties = [
            Observation(party, Source.FIX, at, group)
            for party, group in zip(parties, groups, strict=True)
        ]
        if not self._may_write():
            # The parties first: a page is there only with them.
            self._hand_over(of_parties, Stream.SETTLEMENT_REPORTS)
            self._hand_over([of_page], Stream.SETTLEMENT_PAGES)
            return Taken("handed over to who writes the books", is_new=True)
        pages, reports = self._books.append_page(of_page, of_parties)
        self._has_news = self._has_news or reports.changed
        return Taken(_page_words(pages, reports), is_new=pages.changed or reports.changed)

    def _execution(self, report: ExecutionReport, raw: bytes, at: Instant) -> Taken:
        words: list[str] = []
        is_new = False
        if report.execution_type is ExecType.TRADE:
            try:
                fill = read_fill(report)
            except ProtocolBroken as error:
                self._quarantine(Stream.FILLS, str(error), raw, at)
                return Taken(f"kept and not booked: {error}", is_new=True)
            told = self._keep(fill, Stream.FILLS, raw, at)
            is_new = told is None or told.changed
            words.append("the fill is known" if told is not None and not told.new else "a fill")
        order = self._order(report)
        if order is not None:
            told = self._keep(order, Stream.ORDERS, raw, at)
            is_new = is_new or told is None or told.changed
            words.append(f"order {order.status}, {order.fill_count} of {order.initial_count}")
        return Taken("; ".join(words) or "the order is not whole yet", is_new=is_new)

    def _order(self, report: ExecutionReport) -> OrderReported | None:
        """The order after this report, if all of its trades were seen."""
        order_id = OrderId(report.order_id)
        known = self._orders.setdefault(order_id, OrderReports())
        known.take(report)
        order = known.reported()
        if order is not None and is_terminal(order.status):
            del self._orders[order_id]
        elif len(self._orders) > ORDERS_MAX:
            self._orders.popitem(last=False)
        return order

    def _keep(
        self, value: Filled | OrderReported, stream: Stream, raw: bytes, at: Instant
    ) -> Appended | None:
        """Journal one value; `None`: it was handed over."""
        observation = Observation(value, Source.FIX, at, raw)
        if not self._may_write():
            self._hand_over([observation], stream)
            return None
        appended = self._books.append([observation], stream=stream)
        self._has_news = self._has_news or appended.changed
        return appended

    def _quarantine(self, stream: Stream, reason: str, raw: bytes, at: Instant) -> None:
        record = Quarantined(stream, reason, Source.FIX, at, raw)
        if self._may_write():
            self._books.append([], stream=stream, quarantined=[record])
        else:
            self._books.handoff.hand_over([], stream=stream, quarantined=[record], role=_ROLE)

    def _hand_over(self, observations: Sequence[Observation], stream: Stream) -> None:
        if observations:
            self._books.handoff.hand_over(observations, stream=stream, role=_ROLE)
            self._has_handed_over = True

    # Writing

    def _may_write(self) -> bool:
        """Whether this process holds the lease, or can have it at once."""
        now = self._clock.now()
        if self._is_writer:
            if now - self._beaten_at >= BEAT_EVERY:
                self._books.lease.beat(now=now)
                self._beaten_at = now
            return True
        if self._books.lease.try_acquire(role=_ROLE, now=now) is not None:
            return False
        self._is_writer, self._beaten_at = True, now
        while self._books.handoff.waiting():
            self._books.handoff.drain()
            self._has_news = True
        self._has_handed_over = False
        if self._books.set_report_terms(report_terms(self._account.desk.settings.config)):
            self._has_news = True
        return True

    def rest(self, *, at_once: bool) -> None:
        """Book what came: `at_once` when nothing more waits, else now and then."""
        if not self._is_writer and not (self._has_handed_over and self._may_write()):
            return
        began = self._clock.now()
        if self._has_news and (at_once or began >= self._book_next):
            self._account.book()
            self._has_news = False
            ended = self._clock.now()
            self._book_next = ended + max(BOOK_EVERY, BOOKING_SHARE * (ended - began))
        if at_once:
            self._books.lease.release()
            self._is_writer = False

    def close(self) -> None:
        """Book what is left, and give the lease back."""
        self.rest(at_once=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _page_words(pages: Appended, reports: Appended) -> str:
    if reports.revised:
        return f"in the books: {_parties(reports.revised)} told otherwise than before"
    if not pages.new and not reports.new:
        return "in the books already"
    known = f", {reports.seen} known already" if reports.seen else ""
    return f"in the books: {_parties(reports.new)}{known}"


def _parties(number: int) -> str:
    return number_of(number, "party", "parties")
