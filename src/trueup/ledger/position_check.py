"""Books × the exchange's positions listing.

The net count, the fees and the traded amount must agree exactly.  Cost and
realised profit may differ by a cent: both are averages, and how the exchange
rounds the average cost of a part of a position is not documented.

A position that a complete listing no longer shows is stated as nothing at all
(`nothing_left`): then only the count is compared, as the listing says no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.core.statements import PositionStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.entries import MarketBook

AVERAGING_TOLERANCE: Final = Money.of_cents(1)
"""By how much a cost or a realised profit may differ from the exchange's average."""

_STALE_AFTER: Final = SECOND
"""A statement this much older than the last booked fact may simply not know it yet."""


def nothing_left(stated: PositionStated, at: Instant) -> PositionStated:
    """What a complete listing as of `at` states about a position that it does not show."""
    return replace(
        stated,
        net=ZERO_COUNT,
        exposure=ZERO_MONEY,
        realized=ZERO_MONEY,
        fees_paid=ZERO_MONEY,
        total_traded=ZERO_MONEY,
        updated_at=at,
    )


def check_positions(
    books: Iterable[MarketBook],
    stated: Iterable[PositionStated],
    *,
    complete: bool = True,
) -> Iterator[Break]:
    """Compare every stated position with the books, and every book with the statements.

    `complete` says that `stated` is the whole listing for the subaccounts of
    `books`, unsettled positions at least; then a position that only the books
    hold is a break too.
    """
    waiting: dict[tuple[Subaccount, Ticker], PositionStated] = {
        (each.subaccount, each.ticker): each for each in stated
    }
    for book in books:
        statement = waiting.pop((book.subaccount, book.ticker), None)
        if statement is not None:
            yield from _compared(book, statement)
        elif complete and book.position.net and not book.settled:
            yield _only_in_books(book)
    for statement in waiting.values():
        if statement.net or statement.total_traded:
            yield _only_at_exchange(statement)


def _compared(book: MarketBook, stated: PositionStated) -> Iterator[Break]:
    older = stated.updated_at + _STALE_AFTER < book.last_at
    severity = Severity.AMBER if older else Severity.RED
    evidence = (f"stated as of {format_instant(stated.updated_at)}",)
    if older:
        evidence = (
            f"the statement is older than the last booked fact ({format_instant(book.last_at)})",
            *evidence,
        )
    if stated.net != book.position.net:
        yield _differs(
            BreakKind.POSITION_DIFFERS,
            book,
            stated,
            detail="count",
            severity=severity,
            amount=ZERO_MONEY,
            summary=f"position: books {book.position.net}, exchange {stated.net}",
            evidence=evidence,
        )
        return
    if not (stated.net or stated.total_traded or stated.fees_paid or stated.realized):
        return
    for name, ours, theirs, tolerance in _amounts(book, stated):
        if abs(theirs - ours) > tolerance:
            yield _differs(
                BreakKind.FEE_DIFFERS if name == "fees" else BreakKind.POSITION_DIFFERS,
                book,
                stated,
                detail=name,
                severity=Severity.AMBER,
                # A higher fee is cash that the exchange has less of for us.
                amount=ours - theirs if name == "fees" else theirs - ours,
                summary=f"{name} of the position: books {ours}, exchange {theirs}",
                evidence=evidence,
            )


def _amounts(book: MarketBook, stated: PositionStated) -> Iterator[tuple[str, Money, Money, Money]]:
    """What is compared: its name, the books' figure, the exchange's, the tolerance."""
    yield "cost", book.position.cost, stated.exposure, AVERAGING_TOLERANCE
    realized = book.realized
    before_settlement = realized - book.settlement_gain
    # Whether a settled position's figure includes the payout is not documented.
    if abs(stated.realized - before_settlement) <= AVERAGING_TOLERANCE:
        realized = before_settlement
    yield "realised profit", realized, stated.realized, AVERAGING_TOLERANCE
    yield "fees", book.fees, stated.fees_paid, ZERO_MONEY
    yield "traded amount", book.total_traded, stated.total_traded, ZERO_MONEY


def _differs(
    kind: BreakKind,
    book: MarketBook,
    stated: PositionStated,
    *,
    detail: str,
    severity: Severity,
    amount: Money,
    summary: str,
    evidence: tuple[str, ...],
) -> Break:
    return Break(
        identity=break_identity(kind, book.subaccount, book.ticker, f"position {detail}"),
        kind=kind,
        severity=severity,
        subaccount=book.subaccount,
        shard=book.shard,
        ticker=book.ticker,
        amount=amount,
        occurred_at=max(stated.updated_at, book.last_at),
        summary=summary,
        evidence=evidence,
    )


def _only_in_books(book: MarketBook) -> Break:
    return Break(
        identity=break_identity(
            BreakKind.POSITION_DIFFERS, book.subaccount, book.ticker, "only in books"
        ),
        kind=BreakKind.POSITION_DIFFERS,
        severity=Severity.RED,
        subaccount=book.subaccount,
        shard=book.shard,
        ticker=book.ticker,
        amount=ZERO_MONEY,
        occurred_at=book.last_at,
        summary=f"the books hold {book.position.net}, the exchange lists no position",
        evidence=(f"last booked fact at {format_instant(book.last_at)}",),
    )


def _only_at_exchange(stated: PositionStated) -> Break:
    return Break(
        identity=break_identity(
            BreakKind.MISSING_FILL, stated.subaccount, stated.ticker, "only at exchange"
        ),
        kind=BreakKind.MISSING_FILL,
        severity=Severity.RED if stated.net else Severity.AMBER,
        subaccount=stated.subaccount,
        shard=stated.shard,
        ticker=stated.ticker,
        amount=ZERO_MONEY,
        occurred_at=Instant(stated.updated_at),
        summary=f"the exchange states a position of {stated.net}, the books hold no fill at all",
        evidence=(
            f"exposure {stated.exposure}, traded {stated.total_traded}, fees {stated.fees_paid}",
        ),
    )
