"""An exchange of a few facts, answering calls by their operation; books to sync them into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from trueup.core.errors import NotAuthorized
from trueup.core.facts import (
    Banked,
    BankingStatus,
    Fact,
    Filled,
    Opened,
    Settled,
    Source,
    Stream,
    Transferred,
    TransferStatus,
)
from trueup.core.fees import Precision
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import DAY, HOUR, SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Observation
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated, MarketStated, PositionStated, Statement
from trueup.core.units import Count, Money, Price
from trueup.net.client import Client
from trueup.run.books.booking import book_new
from trueup.run.books.fetching import Fetcher
from trueup.run.books.listings import BEGINNING
from trueup.run.books.proving import (
    PROVEN_STREAMS,
    Proof,
    Reconciliation,
    prove_cash,
    reconcile_books,
)
from trueup.run.books.sync import SyncReport, sync_account
from trueup.run.clock import ManualClock
from trueup.run.config import Config
from trueup.store.database import Books, open_books
from trueup.store.progress import Progress, Tier
from trueup.wire.rest.api_keys import ApiKey
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.rows.balances import Balance, SubaccountBalance

NOW: Final = Instant(1_780_000_000_000_000)
RAIN: Final = Ticker("KXRAIN-26MAY31-B1")
D: Final = Money.parse


def later(seconds: int) -> Instant:
    return Instant(NOW + seconds * SECOND)


# Facts and statements


def fill(
    number: int, *, at: Instant, side: Side = Side.YES, price: str = "0.60", subaccount: int = 0
) -> Filled:
    """Ten contracts of RAIN for a fee of 0.17."""
    return Filled(
        trade_id=TradeId(f"trade-{number}"),
        order_id=OrderId(f"order-{number}"),
        ticker=RAIN,
        side=side,
        count=Count.of_contracts(10),
        price=Price.parse(price),
        fee=D("0.17"),
        is_taker=True,
        at=at,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def settlement(*, at: Instant, subaccount: int = 0) -> Settled:
    """RAIN settled yes for ten contracts of one fill."""
    return Settled(
        ticker=RAIN,
        event_ticker=EventTicker("KXRAIN-26MAY31"),
        result=MarketResult.YES,
        yes_count=Count.of_contracts(10),
        no_count=Count(0),
        yes_cost=D("6.00"),
        no_cost=D("0"),
        revenue=D("10.00"),
        trade_fees=D("0.17"),
        value=None,
        at=at,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def deposit(amount: str, *, at: Instant) -> Banked:
    return Banked(
        banking_id=f"deposit of {amount}",
        amount=D(amount),
        fee=D("0"),
        status=BankingStatus.APPLIED,
        method="ach",
        created_at=at,
        at=at,
    )


def to_other_shard(amount: str, *, at: Instant) -> Transferred:
    """From shard 0 to shard 1, complete."""
    return Transferred(
        transfer_id=f"transfer of {amount}",
        amount=D(amount),
        from_subaccount=PRIMARY,
        to_subaccount=PRIMARY,
        from_shard=SHARD_ZERO,
        to_shard=Shard(1),
        status=TransferStatus.COMPLETE,
        at=at,
    )


def opening(cash: str, *, at: Instant) -> Opened:
    return Opened(cash=D(cash), at=at, subaccount=PRIMARY, shard=SHARD_ZERO, note="stated")


def balance(
    amount: str, at: Instant, *, subaccount: int = 0, shard: int | None = None
) -> Any:  # one of the statements
    return BalanceStated(
        low=D(amount),
        high=D(amount),
        portfolio_value=None,
        subaccount=Subaccount(subaccount),
        shard=None if shard is None else Shard(shard),
        at=at,
        observed_at=at,
    )


def position(net: int, *, at: Instant, subaccount: int = 0) -> PositionStated:
    """The position that one fill of ten made."""
    return PositionStated(
        ticker=RAIN,
        net=Count.of_contracts(net),
        exposure=D("6.00"),
        realized=D("0"),
        fees_paid=D("0.17"),
        total_traded=D("6.00"),
        updated_at=at,
        subaccount=Subaccount(subaccount),
        shard=SHARD_ZERO,
    )


def market(*, settled_at: Instant | None = None) -> MarketStated:
    """RAIN, still open unless it is settled."""
    over = settled_at is not None
    return MarketStated(
        ticker=RAIN,
        event_ticker=EventTicker("KXRAIN-26MAY31"),
        status=MarketStatus.FINALIZED if over else MarketStatus.ACTIVE,
        result=MarketResult.YES if over else None,
        settlement_value=Price.parse("1.0") if over else None,
        close_at=later(10**6),
        settled_at=settled_at,
        shard=SHARD_ZERO,
    )


# Books


OPENED: Final[list[Books]] = []
"""Closed at the end of each test: Python 3.13 warns of a connection that is left open."""


def new_books() -> Books:
    books = open_books(":memory:", venue="sandbox", mode="live", account="main", create=True)
    OPENED.append(books)
    return books


def put(books: Books, stream: Stream, *values: Fact | Statement) -> None:
    observed = [
        Observation(value, Source.REST, later(100_000), repr(value).encode()) for value in values
    ]
    books.append(observed, stream=stream)


def cover(books: Books, *, since: Instant = BEGINNING, subaccounts: tuple[int, ...] = (0,)) -> None:
    """Every stream is complete from `since` on."""
    until = later(10**7)
    for stream in PROVEN_STREAMS:
        owners: tuple[int | None, ...] = subaccounts if stream is Stream.SETTLEMENTS else (None,)
        for owner in owners:
            progress = Progress(
                stream=stream,
                subaccount=None if owner is None else Subaccount(owner),
                shard=None,
                tier=Tier.LIVE,
                window_start=since,
                window_end=until,
                cursor="",
                done=True,
                at=until,
                covers=(since, until),
            )
            books.append([], stream=stream, progress=progress)


def book(books: Books) -> None:
    book_new(books, precision=Precision.DIRECT, config=Config())


def judged(books: Books, *, now: Instant = later(10**6)) -> Proof:  # noqa: B008  # an immutable value
    book(books)
    return prove_cash(books, precision=Precision.DIRECT, now=now)


def reconciled(books: Books, *, now: Instant = later(10**6)) -> Reconciliation:  # noqa: B008  # an immutable value
    book(books)
    return reconcile_books(books, precision=Precision.DIRECT, now=now)


# The exchange


REFUSED: Final = NotAuthorized("not for you", status=403)

Answer = Callable[[dict[str, str]], Any]


def page(*items: Fact | Statement, cursor: str = "") -> Page[Any]:
    return Page(items=items, raws=tuple(repr(each).encode() for each in items), cursor=cursor)


@dataclass
class SmallExchange:
    """Answers by operation; a listing that is not given is empty.  `locked_to` is one subaccount."""

    books: Books = field(default_factory=new_books)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    cutoff: Instant = field(default_factory=lambda: Instant(NOW - 10 * DAY))
    answers: dict[str, Answer | Exception] = field(default_factory=dict[str, "Answer | Exception"])
    cash: dict[int, str] = field(default_factory=lambda: {0: "0"})
    locked_to: int | None = None
    refusal: NotAuthorized = field(default_factory=lambda: REFUSED)
    asked: list[tuple[str, dict[str, str]]] = field(
        default_factory=list[tuple[str, dict[str, str]]]
    )

    def sync(self, *, since: Instant | None = None) -> SyncReport:
        fetcher = Fetcher(client=cast("Client", self), books=self.books, clock=self.clock)
        report = sync_account(fetcher, since=since)
        book(self.books)
        return report

    def reconciled(self) -> Reconciliation:
        return reconciled(self.books, now=self.clock.now())

    def an_hour_later(self) -> None:
        self.clock.sleep(HOUR)

    def count(self, operation: str) -> int:
        return sum(1 for name, _ in self.asked if name == operation)

    def send(self, call: Call[Any]) -> Any:  # as the call says
        answer = self._hear(call)
        if isinstance(answer, Exception):
            raise answer
        query = dict(call.query)
        if answer is not None:
            return answer(query)
        match call.operation:
            case "GetHistoricalCutoff":
                return Cutoffs(
                    trades_created_at=self.cutoff,
                    orders_updated_at=self.cutoff,
                    market_settled_at=self.cutoff,
                    positions_updated_at=None,
                )
            case "GetSubaccountBalances":
                return tuple(
                    SubaccountBalance(
                        subaccount=Subaccount(number),
                        shard=SHARD_ZERO,
                        amount=D(amount),
                        at=self.clock.now(),
                    )
                    for number, amount in self.cash.items()
                )
            case "GetBalance":
                amount = D(self.cash[int(query.get("subaccount", "0"))])
                return b"{}", Balance(
                    low=amount,
                    high=amount,
                    portfolio_value=None,
                    at=self.clock.now(),
                    shard=None,
                    breakdown=(),
                )
            case "GetApiKeys":
                own = None if self.locked_to is None else Subaccount(self.locked_to)
                return (ApiKey(key_id="ours", name="bot", scopes=("read",), subaccount=own),)
            case other:
                raise AssertionError(other)

    def pages(self, call: Call[Page[Any]]) -> Iterator[Page[Any]]:
        answer = self._hear(call)
        if isinstance(answer, Exception):
            raise answer
        yield from [page()] if answer is None else answer(dict(call.query))

    def _hear(self, call: Call[Any]) -> Answer | Exception | None:
        query = dict(call.query)
        self.asked.append((call.operation, query))
        if self.locked_to is not None:
            account_wide = call.operation.startswith(
                ("GetSubaccount", "GetDeposits", "GetWithdrawals", "GetIntraExchange")
            )
            if account_wide or query.get("subaccount") not in {None, str(self.locked_to)}:
                return self.refusal
        return self.answers.get(call.operation)
