"""Checks a bot's own table against the exchange's record: what is wrong, what is right.

The rules, by market:

- What the exchange has not finally settled stays as it is.
- Where all fills of a market are known, its rows share them (`ledger.allocation`):
  each gets its own entry, its own fees, what was sold before settlement, and the
  payout of what was left.  A single row without quantity or price gets all of it.
- Where the fills are not known but the settlement row is, a single row gets the
  row's result: yes_count·v + no_count·(1 − v) − costs − fees.
- Where several subaccounts held the market, the rows belong to the only one whose
  contracts they fit by quantity and price; if that is none or more than one,
  nobody can say whose they are.
- Where only the market's result is known, the outcome is certain and the rest is
  the bot's own word: its entry and its fees are *not verifiable*, and the report
  says so.  They are never called fine.

`settled_price` is written in cents per YES contract, `profit_loss` in dollars
after fees.  A profit that agrees to the cent is right.  A table whose status says
won or lost gets the word that fits: by the side where the market was decided, by
the profit where it was sold or settled in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypedDict

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import is_settled
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Money, Price, Ratio
from trueup.ledger.adopt_figures import (
    in_money,
    is_plausible,
    own_gross,
    own_value,
    row_payout,
    same_price,
    same_profit,
    told_text,
    whole_fees,
    whole_result,
)
from trueup.ledger.adopt_reasons import explain_profit
from trueup.ledger.allocation import Allocation, Claim, Refused, allocate, by_orders, by_row
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.foreign import (
    AdoptionLine,
    AdoptionReport,
    Change,
    Column,
    ForeignTrade,
    Outcome,
    Reason,
    TickerEvidence,
    ratio_text,
)
from trueup.ledger.status_words import StatusWords

_OUTSIDE: Final = "entry price, quantity and fees: not verifiable, outside coverage"
_FROM_FILLS: Final = "fills"
_FROM_ROW: Final = "settlement row"
_FROM_RESULT: Final = "market result"

_OPEN, _SETTLED, _CLOSED = "open", "settled", "closed"

_BEGINNING: Final = Instant(0)


def adopt(
    trades: Iterable[ForeignTrade],
    evidence: Mapping[Ticker, Sequence[TickerEvidence]],
    *,
    words: StatusWords | None = None,
) -> AdoptionReport:
    """Compare every row with the exchange's record; nothing is changed here.

    `evidence` holds what is known of each ticker, by subaccount; a ticker that is
    missing there is unknown to the exchange.  The report has one line per row, in
    their order.
    """
    listed = list(trades)
    told = (words or StatusWords()).as_used(trade.status for trade in listed)
    by_ticker: dict[Ticker, list[int]] = {}
    for index, trade in enumerate(listed):
        by_ticker.setdefault(trade.ticker, []).append(index)
    lines: dict[int, AdoptionLine] = {}
    for ticker, indices in by_ticker.items():
        rows = [listed[index] for index in indices]
        known = evidence.get(ticker) or (TickerEvidence(ticker=ticker),)
        lines.update(zip(indices, _lines(rows, known, told), strict=True))
    return AdoptionReport(lines=tuple(lines[index] for index in range(len(listed))))


def phantom_breaks(report: AdoptionReport) -> list[Break]:
    """A break for each row that the bot calls open although the exchange settled it."""
    return [
        Break(
            identity=break_identity(
                BreakKind.PHANTOM_OPEN_TRADE, None, line.trade.ticker, line.trade.row_id
            ),
            kind=BreakKind.PHANTOM_OPEN_TRADE,
            severity=Severity.AMBER,
            subaccount=None,
            shard=None,
            ticker=line.trade.ticker,
            amount=ZERO_MONEY if line.profit_loss is None else line.profit_loss,
            occurred_at=line.trade.opened_at or _BEGINNING,
            summary=f"row {line.trade.row_id} is open in the bot's table: {line.why}",
            evidence=tuple(
                f"{change.column}: {change.old} → {change.new}" for change in line.changes
            ),
            remedy="Run `trueup settlements backfill --db … --write`.",
        )
        for line in report.patches
        if line.reason is Reason.PHANTOM_OPEN
    ]


def _lines(
    rows: Sequence[ForeignTrade], known: Sequence[TickerEvidence], words: StatusWords
) -> list[AdoptionLine]:
    """The rows of one market against the one subaccount to which they belong."""
    held = [each for each in known if each.held]
    if len(held) <= 1:
        return _Market((held or known)[0], words).lines(rows)
    markets = [_Market(each, words) for each in held]
    fitting = [market for market in markets if market.fits(rows)]
    if len(fitting) == 1:
        return [_said_whose(line, fitting[0].subaccount) for line in fitting[0].lines(rows)]
    # Whose it is does not matter while nothing is to be done.
    stated = TickerEvidence(ticker=held[0].ticker, market=held[0].market)
    anybody = _Market(stated, words).lines(rows)
    if all(each.value is None for each in held):
        return anybody
    listed = ", ".join(str(each.subaccount) for each in held)
    some = "several of them fit" if fitting else "none of them fits"
    why = (
        f"held in subaccounts {listed}, and by side, quantity and entry price {some} "
        "all rows of this market: name the bot's subaccount"
    )
    return [
        line
        if line.reason is Reason.UNKNOWN_STATUS
        else _line(line.trade, Outcome.NOT_VERIFIABLE, Reason.SEVERAL_SUBACCOUNTS, why)
        for line in anybody
    ]


def _said_whose(line: AdoptionLine, subaccount: Subaccount | None) -> AdoptionLine:
    if line.outcome is Outcome.SKIPPED:
        return line
    whose = f"subaccount {subaccount}: the only one whose contracts these rows fit"
    return replace(line, checks=(*line.checks, whose))


class _Said(TypedDict):
    """What was checked of a row that cannot be verified, and why it cannot."""

    checks: tuple[str, ...]
    why: str


class _Market:
    """The rows of one market against what is known of it."""

    def __init__(self, known: TickerEvidence, words: StatusWords) -> None:
        self._known = known
        self._words = words
        self._alone = True

    @property
    def subaccount(self) -> Subaccount | None:
        """Whose record this is."""
        return self._known.subaccount

    def fits(self, rows: Sequence[ForeignTrade]) -> bool:
        """Whether all rows can be the contracts of this subaccount, by quantity and price."""
        claims = [self._claim(row) for row in rows if self._kind(row) is not None]
        named = [claim for claim in claims if claim is not None and claim.price is not None]
        if not named or len(named) < len(claims):
            return False
        found = self._allocate(named)
        return not isinstance(found, Refused) and all(each.price_fits for each in found.shares)

    def lines(self, rows: Sequence[ForeignTrade]) -> list[AdoptionLine]:
        """One line per row."""
        lines: dict[int, AdoptionLine] = {}
        for index, row in enumerate(rows):
            line = self._not_compared(row)
            if line is not None:
                lines[index] = line
        rest = [index for index in range(len(rows)) if index not in lines]
        self._alone = len(rows) == 1
        compared = self._compared([rows[index] for index in rest])
        lines.update(zip(rest, compared, strict=True))
        return [lines[index] for index in range(len(rows))]

    def _not_compared(self, row: ForeignTrade) -> AdoptionLine | None:
        """Rows about which nothing can be said, or nothing is to be done yet."""
        kind = self._kind(row)
        if kind is None:
            why = f"status {row.status!r} is not a word that the mapping knows"
            return _line(row, Outcome.SKIPPED, Reason.UNKNOWN_STATUS, why)
        if not self._known.known:
            why = "the exchange does not know this ticker"
            return _line(row, Outcome.SKIPPED, Reason.UNKNOWN_TICKER, why)
        if self._known.covered and not self._known.fills:
            why = "this account never traded the market"
            return _line(row, Outcome.SKIPPED, Reason.NOT_OURS, why)
        if self._known.value is None and not (kind is _CLOSED and self._sold_out()):
            return self._not_final(row, kind)
        return None

    def _kind(self, row: ForeignTrade) -> str | None:
        word = row.status.strip().lower()
        for kind, words in (
            (_OPEN, self._words.open),
            (_SETTLED, self._words.settled),
            (_CLOSED, self._words.closed),
        ):
            if word in words:
                return kind
        return None

    def _sold_out(self) -> bool:
        known = self._known
        flat = not any(book.position.net for book in known.books)
        return known.fills_complete and bool(known.fills) and bool(known.books) and flat

    def _not_final(self, row: ForeignTrade, kind: str) -> AdoptionLine:
        market = self._known.market
        outcome = Outcome.SKIPPED if kind is _OPEN else Outcome.NOT_VERIFIABLE
        if self._known.row is not None or (market is not None and is_settled(market.status)):
            why = "the market has ended, but nobody gives its scalar value"
            return _line(row, Outcome.NOT_VERIFIABLE, Reason.VALUE_UNKNOWN, why)
        if market is not None and market.result is not None:
            why = f"determined {market.result}, but not final: it can still be disputed"
            return _line(row, outcome, Reason.NOT_FINAL, why)
        if self._sold_out():
            why = "nothing is held any more, but the market has not ended"
            return _line(row, outcome, Reason.SOLD_OUT, why)
        return _line(row, outcome, Reason.STILL_OPEN, "not settled at the exchange")

    def _compared(self, rows: Sequence[ForeignTrade]) -> list[AdoptionLine]:
        known = self._known
        if not rows:
            return []
        if known.fills_complete and known.fills:
            return self._shared(rows, rests_on=_FROM_FILLS)
        if known.row is not None:
            return self._shared(rows, rests_on=_FROM_ROW)
        return [self._by_result(row) for row in rows]

    # -- the exchange's record is complete for this market ------------------------------------

    def _shared(self, rows: Sequence[ForeignTrade], *, rests_on: str) -> list[AdoptionLine]:
        """Rows that share the whole record of the market, or the reason why they cannot."""
        if self._alone and (rows[0].count is None or rows[0].side is None):
            whole, fees = whole_result(self._known), whole_fees(self._known)
            caveats = ("the row names no quantity or side: it gets the market's whole result",)
            cause = explain_profit(rows[0], whole, fees=fees, share=None, value=None)
            return [self._judged(rows[0], whole, rests_on=rests_on, caveats=caveats, cause=cause)]
        claims = [self._claim(row) for row in rows]
        if any(claim is None for claim in claims):
            why = "several rows share this market, and not all name their side and quantity"
            return [_line(row, Outcome.NOT_VERIFIABLE, Reason.COLUMNS_MISSING, why) for row in rows]
        named = [claim for claim in claims if claim is not None]
        first = self._allocate(named)
        if isinstance(first, Refused):
            return self._without_duplicates(rows, named, refused=first, rests_on=rests_on)
        return self._from_shares(rows, first, rests_on=rests_on)

    def _allocate(self, claims: Sequence[Claim]) -> Allocation | Refused:
        known = self._known
        if known.fills_complete and known.fills:
            orders = by_orders(known.fills)
        else:
            orders = [] if known.row is None else by_row(known.row)
        payout = known.payout
        if payout is None and known.row is not None and known.value is not None:
            payout = row_payout(known.row, known.value)
        return allocate(claims, orders, value=known.value, payout=payout)

    def _claim(self, row: ForeignTrade) -> Claim | None:
        if row.side is None or row.count is None:
            return None
        return Claim(
            side=row.side,
            quantity=row.count,
            price=row.entry_price,
            at=row.opened_at,
            exited=self._kind(row) is _CLOSED or row.exit_price is not None,
        )

    def _without_duplicates(
        self,
        rows: Sequence[ForeignTrade],
        claims: Sequence[Claim],
        *,
        refused: Refused,
        rests_on: str,
    ) -> list[AdoptionLine]:
        """If rows that repeat another are what is too much, skip them."""
        first_of: dict[Claim, int] = {}
        repeated: dict[int, int] = {}
        for index, claim in enumerate(claims):
            if claim in first_of:
                repeated[index] = first_of[claim]
            else:
                first_of[claim] = index
        kept = [index for index in range(len(rows)) if index not in repeated]
        again = self._allocate([claims[index] for index in kept]) if repeated else refused
        if isinstance(again, Refused):
            return [
                _line(row, Outcome.NOT_VERIFIABLE, Reason.CANNOT_MATCH, refused.words)
                for row in rows
            ]
        judged = self._from_shares([rows[index] for index in kept], again, rests_on=rests_on)
        lines = dict(zip(kept, judged, strict=True))
        for index, original in repeated.items():
            why = f"repeats row {rows[original].row_id}, which the exchange filled only once"
            lines[index] = _line(rows[index], Outcome.SKIPPED, Reason.DUPLICATE, why)
        return [lines[index] for index in range(len(rows))]

    def _from_shares(
        self, rows: Sequence[ForeignTrade], allocation: Allocation, *, rests_on: str
    ) -> list[AdoptionLine]:
        common: tuple[str, ...] = ()
        if not allocation.complete:
            common = ("the account traded more contracts on this market than the table holds",)
        lines: list[AdoptionLine] = []
        for row, share in zip(rows, allocation.shares, strict=True):
            caveats = common
            if not share.price_fits and row.entry_price is not None:
                actual = ratio_text(Ratio(share.cost, share.entered * 10_000))
                told = ratio_text(row.entry_price)
                caveats = (*common, f"entry price: the row says {told}, the exchange {actual}")
            profit, value = share.profit_loss(), self._known.value
            cause = explain_profit(row, profit, fees=Money(share.fees), share=share, value=value)
            lines.append(self._judged(row, profit, rests_on=rests_on, caveats=caveats, cause=cause))
        return lines

    def _judged(
        self,
        row: ForeignTrade,
        profit: Money,
        *,
        rests_on: str,
        caveats: tuple[str, ...],
        cause: str,
    ) -> AdoptionLine:
        """A row whose right figures are known: matched, or to be patched.

        `cause` says how its own profit came about, where that is known.
        """
        value = self._known.value
        kind = self._kind(row)
        changes = self._changes(row, profit, value, kind=kind)
        if not changes:
            outcome, reason, why = Outcome.MATCHED, Reason.RIGHT, "agrees with the exchange"
        elif kind is _OPEN:
            outcome, reason = Outcome.PATCH, Reason.PHANTOM_OPEN
            why = "open in the table, settled at the exchange"
        elif [change.column for change in changes] == [Column.STATUS]:
            outcome, reason = Outcome.PATCH, Reason.WRONG_VALUES
            why = "the figures are right, the word is not"
        else:
            outcome, reason = Outcome.PATCH, Reason.WRONG_VALUES
            why = cause or "the exchange's record gives other figures"
            if [change.column for change in changes] == [Column.SETTLED_PRICE]:
                why = "the profit is right, the settled price is not"
        return AdoptionLine(
            trade=row,
            outcome=outcome,
            reason=reason,
            why=why,
            changes=changes,
            profit_loss=profit,
            settled_price=value,
            rests_on=rests_on,
            caveats=caveats,
        )

    def _changes(
        self, row: ForeignTrade, profit: Money | None, value: Price | None, *, kind: str | None
    ) -> tuple[Change, ...]:
        changes: list[Change] = []
        word = self._right_word(row, profit, value, kind=kind)
        if word != row.status:
            changes.append(Change(Column.STATUS, row.status, word))
        if value is not None and kind is not _CLOSED and not same_price(row, value):
            old = told_text(row, Column.SETTLED_PRICE, row.settled_price)
            changes.append(Change(Column.SETTLED_PRICE, old, ratio_text(Ratio(value.units, 100))))
        if profit is not None and not same_profit(row, profit):
            old = told_text(row, Column.PROFIT_LOSS, row.profit_loss)
            changes.append(Change(Column.PROFIT_LOSS, old, str(profit)))
        return tuple(changes)

    def _right_word(
        self, row: ForeignTrade, profit: Money | None, value: Price | None, *, kind: str | None
    ) -> str:
        """What the status should say; a word that is not surely wrong stays."""
        signs: list[bool] = []
        if row.side is not None and value is not None and not _is_between(value):
            signs.append(own_value(row.side, value).units > 0)
        if profit:
            signs.append(profit > ZERO_MONEY)
        if kind is _OPEN:
            return self._words.written(won=bool(signs) and signs[0])
        said = self._words.said(row.status) if kind is _SETTLED else None
        if said is not None and signs and all(sign is not said for sign in signs):
            return self._words.opposite(row.status)
        return row.status

    # -- only the market's result is known ----------------------------------------------------

    def _by_result(self, row: ForeignTrade) -> AdoptionLine:
        """The outcome is certain; entry, quantity and fees are the bot's own word."""
        kind = self._kind(row)
        value = self._known.value
        gross = own_gross(row, value, closed=kind is _CLOSED)
        profit = None if gross is None else in_money(gross - (row.fees or 0))
        if kind is _CLOSED:
            why = "sold before settlement; its fills are outside coverage"
            return self._unverified(row, profit, checks=(), why=why)
        agrees = value is not None and same_price(row, value)
        agrees = agrees and self._right_word(row, profit, value, kind=kind) == row.status
        if kind is _SETTLED and agrees:
            return self._unverified(row, profit, **self._outcome_of(row, value))
        if profit is None:
            why = f"the market settled at {value}, but the row has no side, quantity or price"
            return _line(row, Outcome.NOT_VERIFIABLE, Reason.COLUMNS_MISSING, why)
        phantom = kind is _OPEN
        unknown_fees = ("fees are unknown and not deducted",) if row.fees is None else ()
        return AdoptionLine(
            trade=row,
            outcome=Outcome.PATCH,
            reason=Reason.PHANTOM_OPEN if phantom else Reason.WRONG_VALUES,
            why=(
                "open in the table, settled at the exchange"
                if phantom
                else "the market's result is another one"
            ),
            changes=self._changes(row, profit, value, kind=kind),
            profit_loss=profit,
            settled_price=value,
            rests_on=_FROM_RESULT,
            caveats=(_OUTSIDE, *unknown_fees),
        )

    def _outcome_of(self, row: ForeignTrade, value: Price | None) -> _Said:
        """What can be said of a settled row's outcome, by its price or else by its word."""
        said = self._words.said(row.status)
        decided = row.side is not None and value is not None and not _is_between(value)
        if row.names_price or (said is not None and decided):
            return _Said(
                checks=("outcome: agrees with the market's result",),
                why="the outcome is right; the rest lies outside coverage",
            )
        return _Said(checks=(), why="the table does not say how the market ended")

    def _unverified(
        self, row: ForeignTrade, profit: Money | None, *, checks: tuple[str, ...], why: str
    ) -> AdoptionLine:
        """Never fine: what can be checked is checked, and the rest is named."""
        caveats = (_OUTSIDE,)
        if profit is not None and row.profit_loss is not None:
            if is_plausible(row, profit):
                checks = (*checks, "profit: follows from the row's own figures")
            else:
                told = ratio_text(row.profit_loss)
                caveats = (f"profit: the row says {told}, its own figures give {profit}", _OUTSIDE)
        return AdoptionLine(
            trade=row,
            outcome=Outcome.NOT_VERIFIABLE,
            reason=Reason.OUTSIDE_COVERAGE,
            why=why,
            profit_loss=profit,
            settled_price=self._known.value,
            rests_on=_FROM_RESULT,
            caveats=caveats,
            checks=checks,
        )


def _is_between(value: Price) -> bool:
    """Whether a market paid both sides (a scalar result, a tie)."""
    return 0 < value.units < ONE_DOLLAR.units


def _line(row: ForeignTrade, outcome: Outcome, reason: Reason, why: str) -> AdoptionLine:
    return AdoptionLine(trade=row, outcome=outcome, reason=reason, why=why)
