"""Books × settlement rows × market results.

A row's counts and costs are gross; ``revenue`` is the payout of the net position
in whole cents; ``fee_cost`` repeats the trade fees.  So the difference of the
counts must be the books' net position, the revenue must be what the books paid
to the cent, and the fee must be the sum of the fills' fees.  Whether the gross
counts hold contracts that were closed by a sale is not documented, so fewer
gross contracts than the books hold are no break.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from trueup.core.facts import Settled
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import DAY, Instant, format_age, format_instant
from trueup.core.market import is_settled
from trueup.core.payoff import gross_payout
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.ledger.bare import BareReport
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.entries import Evidence, MarketBook
from trueup.ledger.outcomes import final_value
from trueup.ledger.payouts import row_value
from trueup.ledger.witnesses import agrees

_CENT: Final = Money.of_cents(1)

PATIENCE: Final = DAY
"""How long after its close a market may take to settle before that is looked into."""


def check_settlements(
    books: Iterable[MarketBook],
    rows: Iterable[Settled],
    markets: Mapping[Ticker, MarketStated],
    *,
    now: Instant,
    reports: Iterable[BareReport] = (),
) -> Iterator[Break]:
    """Compare every settlement row with the books, and every held position with its market.

    `rows` are the latest versions, `markets` the latest statement about each market,
    `reports` what FIX told: it may say what a row of a scalar result leaves open.
    """
    told = {report.subject: report for report in reports}
    waiting: dict[tuple[Subaccount, Ticker], Settled] = {
        (row.subaccount, row.ticker): row for row in rows
    }
    for book in books:
        row = waiting.pop((book.subaccount, book.ticker), None)
        market = markets.get(book.ticker)
        traded = bool(book.yes_bought or book.no_bought)
        if row is None:
            yield from _without_row(book, market, now)
        elif not traded:
            yield _row_alone(row)
        else:
            yield from _row_against(book, row, market, told.get((row.subaccount, row.ticker)))
    for row in waiting.values():
        yield _row_alone(row)


def _row_against(
    book: MarketBook, row: Settled, market: MarketStated | None, report: BareReport | None
) -> Iterator[Break]:
    net = row.yes_count - row.no_count
    held = book.net_at_settlement
    if net != held:
        # Whether a sale counts as a purchase of the other side is inferred, not
        # documented: where the payout fits the books, only look at it.
        value = row_value(row, market)
        fits = value is not None and gross_payout(held, value).floor_to(_CENT) == row.revenue
        yield _break(
            BreakKind.MISSING_FILL,
            row,
            detail="net at settlement",
            severity=Severity.AMBER if fits else Severity.RED,
            summary=f"the row's net position is {net}, the books held {held}",
            evidence=(f"row: {row.yes_count} YES and {row.no_count} NO bought",),
        )
    yield from _payout(book, row, market, report)
    if row.trade_fees != book.fees:
        yield _break(
            BreakKind.FEE_DIFFERS,
            row,
            detail="fees at settlement",
            severity=Severity.AMBER,
            # A higher fee is money that the exchange has less of for us.
            amount=book.fees - row.trade_fees,
            summary=f"trade fees: fills {book.fees}, settlement row {row.trade_fees}",
        )
    if net == held:
        yield from _gross(book, row)
    if market is not None and market.result not in {None, row.result}:
        yield _break(
            BreakKind.REVISED_SETTLEMENT,
            row,
            detail="result",
            severity=Severity.AMBER,
            summary=f"the row says {row.result}, the market says {market.result}",
        )


def _payout(
    book: MarketBook, row: Settled, market: MarketStated | None, report: BareReport | None
) -> Iterator[Break]:
    value = row_value(row, market)
    if value is None:
        held = book.net_at_settlement.units
        if report is not None and agrees(report, row.revenue.units, net=held):
            return
        yield _break(
            BreakKind.PAYOUT_DIFFERS,
            row,
            detail="value unknown",
            severity=Severity.AMBER,
            summary=f"nobody gives the scalar value; {row.revenue} was booked as the row says",
        )
        return
    expected = gross_payout(book.net_at_settlement, value)
    if expected.floor_to(_CENT) != row.revenue:
        yield _break(
            BreakKind.PAYOUT_DIFFERS,
            row,
            detail="revenue",
            amount=row.revenue - expected,
            summary=f"revenue is {row.revenue}, net position × result is {expected}",
            evidence=(f"net {book.net_at_settlement} at {value} per YES contract",),
        )


def _gross(book: MarketBook, row: Settled) -> Iterator[Break]:
    """More gross contracts than ours, or the same at another cost."""
    if row.yes_count > book.yes_bought or row.no_count > book.no_bought:
        yield _break(
            BreakKind.MISSING_FILL,
            row,
            detail="gross counts",
            summary=(
                f"the row counts {row.yes_count} YES and {row.no_count} NO, "
                f"the fills {book.yes_bought} and {book.no_bought}: a netted pair is missing"
            ),
        )
        return
    same = row.yes_count == book.yes_bought and row.no_count == book.no_bought
    difference = row.yes_cost + row.no_cost - book.yes_cost - book.no_cost
    if same and abs(difference) > _CENT:
        yield _break(
            BreakKind.POSITION_DIFFERS,
            row,
            detail="gross cost",
            severity=Severity.AMBER,
            amount=-difference,
            summary=(
                f"the same contracts cost {book.total_traded} by the fills "
                f"and {row.yes_cost + row.no_cost} by the row"
            ),
        )


def _row_alone(row: Settled) -> Break:
    """A settlement without a single fill in the books."""
    bought = f"{row.yes_count} YES for {row.yes_cost}, {row.no_count} NO for {row.no_cost}"
    evidence = (f"row: {bought}, result {row.result}, revenue {row.revenue}",)
    if row.yes_count == row.no_count and row.revenue:
        return _break(
            BreakKind.SIDE_UNKNOWN,
            row,
            detail="no fills",
            amount=row.revenue,
            summary="the row counts both sides alike but paid: which side was held is unknown",
            evidence=evidence,
        )
    return _break(
        BreakKind.MISSING_FILL,
        row,
        detail="no fills",
        amount=row.revenue,
        summary="a settlement row, but no fill of this market is known",
        evidence=evidence,
    )


def _without_row(book: MarketBook, market: MarketStated | None, now: Instant) -> Iterator[Break]:
    """No row: the market's result may have served; otherwise nothing has been paid."""
    if book.evidence is Evidence.MARKET_RESULT:
        if book.net_at_settlement:
            yield _held(
                book,
                detail="served by result",
                severity=Severity.GREEN,
                amount=ZERO_MONEY,
                summary=f"no settlement row; {book.payout} was booked from the market's result",
            )
        return
    if not book.position.net or book.settled:
        return
    if market is None:
        yield from _unknown_market(book, now)
        return
    value = final_value(market)
    if is_settled(market.status):
        amount = ZERO_MONEY if value is None else gross_payout(book.position.net, value)
        unknown = "when it paid" if value is not None else "what it paid"
        yield _held(
            book,
            detail="finalized",
            severity=Severity.RED,
            amount=amount,
            summary=f"the market is finalized, but nobody says {unknown}",
        )
        return
    ended = market.close_at
    if ended is not None and now - ended > PATIENCE:
        told = f"{market.status} {market.result or ''}".strip()
        yield _held(
            book,
            detail="late",
            severity=Severity.AMBER,
            amount=ZERO_MONEY,
            summary=f"closed {format_age(now - ended)} ago, still {told}, nothing was paid",
        )


def _unknown_market(book: MarketBook, now: Instant) -> Iterator[Break]:
    if now - book.last_at > PATIENCE:
        yield _held(
            book,
            detail="unknown market",
            severity=Severity.AMBER,
            amount=ZERO_MONEY,
            summary=f"{book.position.net} held, but nothing is known about the market",
        )


def _held(
    book: MarketBook, *, detail: str, severity: Severity, amount: Money, summary: str
) -> Break:
    net = book.position.net or book.net_at_settlement
    return Break(
        identity=break_identity(BreakKind.MISSING_SETTLEMENT, book.subaccount, book.ticker, detail),
        kind=BreakKind.MISSING_SETTLEMENT,
        severity=severity,
        subaccount=book.subaccount,
        shard=book.shard,
        ticker=book.ticker,
        amount=amount,
        occurred_at=book.last_at,
        summary=summary,
        evidence=(f"{_side_words(net)}, last fact at {format_instant(book.last_at)}",),
    )


def _side_words(net: Count) -> str:
    return f"{abs(net)} {'YES' if net > ZERO_COUNT else 'NO'} held"


def _break(
    kind: BreakKind,
    row: Settled,
    *,
    detail: str,
    summary: str,
    severity: Severity = Severity.RED,
    amount: Money = ZERO_MONEY,
    evidence: tuple[str, ...] = (),
) -> Break:
    return Break(
        identity=break_identity(kind, row.subaccount, row.ticker, detail),
        kind=kind,
        severity=severity,
        subaccount=row.subaccount,
        shard=row.shard,
        ticker=row.ticker,
        amount=amount,
        occurred_at=row.at,
        summary=summary,
        evidence=(*evidence, f"settled at {format_instant(row.at)}"),
    )
