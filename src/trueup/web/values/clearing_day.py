"""The settlements of one clearing date: what FIX reported beside what REST shows and the books paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from trueup.core.units import Count, Money, Price
from trueup.run.books.account import Account
from trueup.run.fix.day import BookedDay, read_booked_day
from trueup.run.views import Row
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

DAYS_MAX: Final = 60
"""So many of the newest clearing dates are offered."""


def clearing_dates(account: Account) -> tuple[str, ...]:
    """The days of which FIX has reported something, the newest first."""
    days = {each.clearing_date for each in account.books.report_pages()}
    return tuple(sorted(days, reverse=True)[:DAYS_MAX])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingDay:
    """One day: a row for each party of each market, the sums, and what does not agree."""

    day: str
    rows: Sequence[Row]
    totals: Sequence[Row]
    differences: Sequence[str]
    waiting: Sequence[str]
    pages: int


def clearing_day(account: Account, *, day: str) -> ClearingDay:
    """Ask the books; walks over all settlements."""
    found: BookedDay = read_booked_day(account.books, date.fromisoformat(day), now=account.now())
    return ClearingDay(
        day=day,
        rows=found.rows(),
        totals=found.totals(),
        differences=tuple(found.differences),
        waiting=tuple(found.waiting),
        pages=found.pages,
    )


def verdict(found: ClearingDay) -> Shown:
    """Whether the three agree, by a shape, a word and a colour."""
    if found.differences:
        return Shown(f"▲ {len(found.differences)} differ", Tone.BAD)
    if found.waiting:
        return Shown(f"◆ {len(found.waiting)} still to come", Tone.LOOK)
    return Shown("● all agree", Tone.GOOD)


def party_rows(rows: Sequence[Row], *, prefix: str = "") -> list[TableRow]:
    """A row for each party of each market."""
    return [_party_row(row, place, prefix) for place, row in enumerate(rows)]


def _party_row(row: Row, place: int, prefix: str) -> TableRow:
    ticker, owner = str(row["ticker"]), row["subaccount"]
    differs = len({each for each in (_money(row["payout"]), _money(row["booked"])) if each}) > 1
    return TableRow(
        key=f"{row['party']}/{ticker}/{place}",
        href="" if owner is None else f"{prefix}/position/{owner}/{ticker}",
        tone="look" if row["doubt"] or differs else "",
        cells={
            "ticker": Shown(ticker),
            "account": shown.words(None if owner is None else f"subaccount {owner}"),
            "party": shown.words(None if row["party"] is None else str(row["party"])),
            "result": shown.words(str(row["result"]).upper()),
            "held": _held(row),
            "fix": shown.money(_money(row["payout"])),
            "fees": shown.money(_money(row["fees"])),
            "rest": shown.money(_money(row["rest_revenue"])),
            "booked": shown.money(_money(row["booked"])),
            "doubt": shown.words(
                None if row["doubt"] is None else str(row["doubt"]), tone=Tone.LOOK
            ),
            "value": shown.price(
                value if isinstance(value := row["settlement_price"], Price) else None
            ),
        },
    )


def total_rows(totals: Sequence[Row]) -> list[TableRow]:
    """A row for each account."""
    return [
        TableRow(
            key=str(row["account"]),
            cells={
                "account": Shown(str(row["account"])),
                "settlements": shown.number(
                    count if isinstance(count := row["settlements"], int) else None
                ),
                "fix": shown.money(_money(row["payout"])),
                "fees": shown.money(_money(row["fees"])),
                "rest": shown.money(_money(row["rest_revenue"])),
                "booked": shown.money(_money(row["booked"])),
            },
        )
        for row in totals
    ]


def _held(row: Row) -> Shown:
    yes, no = row["yes_count"], row["no_count"]
    if isinstance(yes, Count) and yes:
        return Shown(f"{shown.count(yes).text} YES")
    if isinstance(no, Count) and no:
        return Shown(f"{shown.count(no).text} NO")
    return shown.NOTHING


def _money(value: object) -> Money | None:
    return value if isinstance(value, Money) else None
