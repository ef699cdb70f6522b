"""`fix report FILE`: what the settlement reports in FIX logs say of one day, party by party."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.ids import Subaccount, Ticker
from trueup.core.settlement import PayoutUnit, SettlementReported
from trueup.core.units import ZERO_MONEY, Money
from trueup.run.books.exporting import Exported, write_table
from trueup.run.views import Row, number_of
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.frame import SOH
from trueup.wire.fix.log_lines import LoggedMessage, read_log
from trueup.wire.fix.meanings import FEE_TYPES
from trueup.wire.fix.message import Sender
from trueup.wire.fix.messages.settlement import MarketSettlementReport
from trueup.wire.fix.settlement import Completeness, SettlementPages, sent_at, session_of

TOLD_COLUMNS: Final = (
    "party",
    "subaccount",
    "ticker",
    "result",
    "settlement_price",
    "yes_count",
    "no_count",
    "gross",
    "fees",
    "fee_types",
    "payout",
)
COLUMNS: Final = (*TOLD_COLUMNS, "doubt")


@dataclass(slots=True)
class DayReport:
    """The settlements of one clearing date.

    A party of a market was paid once, on however many sessions that was heard: the newest
    word counts.  `again` counts the parties that were told again in the same words, by
    another page or another session; `sessions` are all that told something.  `problems` are
    what keeps the report from being whole: pages that are missing or contradict each other,
    messages that could not be read, figures that do not fit together, a party that is told
    in two ways, parties that belong to no known subaccount.
    """

    day: date
    told: dict[tuple[Ticker, str], SettlementReported] = field(
        default_factory=dict[tuple[Ticker, str], SettlementReported]
    )
    problems: list[str] = field(default_factory=list[str])
    sessions: set[str] = field(default_factory=set[str])
    pages: int = 0
    repeated: int = 0
    again: int = 0

    @property
    def parties(self) -> list[SettlementReported]:
        """Every party of every market, once."""
        return list(self.told.values())

    def take(self, parties: Iterable[SettlementReported], *, where: str) -> None:
        """What one page says of its parties; `where` names the page for a person."""
        for each in parties:
            key = each.ticker, each.party
            known = self.told.get(key, each)
            newest = each if each.at >= known.at else known
            if known != each:
                self.problems.append(
                    f"{each.ticker}, party {each.party}: told in two ways, {_paid(known)} and "
                    f"{_paid(each)} ({where}); the newer one counts, {_paid(newest)}"
                )
            self.again += key in self.told and known == each
            self.told[key] = newest

    def rows(self) -> list[Row]:
        """One row for each party of each market, by party."""
        ordered = sorted(self.parties, key=lambda each: (each.party, each.ticker))
        return [party_row(each) for each in ordered]

    def totals(self) -> list[Row]:
        """What each party was paid on the day, and its fees by type."""
        return [
            {
                "party": party,
                "settlements": len(own),
                "gross": sum_of(each.gross for each in own),
                "fees": sum_of(each.fee for each in own),
                "fee_types": fee_types(own),
                "payout": sum_of(each.payout for each in own),
            }
            for party in sorted({each.party for each in self.parties})
            for own in ([each for each in self.parties if each.party == party],)
        ]


def read_day(
    files: Sequence[Path], day: date, parties: dict[str, int], *, unit: str = PayoutUnit.DOLLARS
) -> DayReport:
    """The report of a clearing date from FIX logs.

    `parties` maps parties to subaccounts; empty, none is expected.  `unit` is what payouts
    (1704) are written in: ``dollars``, or ``cents`` as in the oldest reports.  A page that
    comes twice counts once, and so does a party that several sessions tell of.  Raises
    `ConfigError` for a file that cannot be read.
    """
    if unit not in set(PayoutUnit):
        raise ConfigError(f"{unit!r} is no unit of payouts", remedy="Use dollars or cents.")
    known = {party: Subaccount(number) for party, number in parties.items()}
    pages = SettlementPages(known, unit=PayoutUnit(unit))
    report, codec = DayReport(day), Codec(reads=Sender.EXCHANGE)
    for file in files:
        for message in _settlements_in(file):
            _take(report, pages, codec, message=message, file=file)
    report.problems += [*_incomplete(pages, day), *_doubtful(report.parties)]
    if known:
        strangers = {each.party for each in report.parties if each.subaccount is None}
        report.problems += [
            f"party {party} belongs to no subaccount in fix_parties" for party in sorted(strangers)
        ]
    return report


def _settlements_in(file: Path) -> Iterator[LoggedMessage]:
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for message in read_log(lines):
                if message.first("35") == MarketSettlementReport.TYPE:
                    yield message
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", remedy="Give the path of a FIX log."
        ) from error


def _incomplete(pages: SettlementPages, day: date) -> Iterator[str]:
    for ticker, clearing_date, batch in pages.open():
        if clearing_date != day:
            continue
        told = "; ".join(batch.contradictions)
        if batch.completeness is Completeness.OPEN:
            unknown = "an unknown number of pages"
            announced = number_of(batch.announced, "page") if batch.announced else unknown
            told = f"{len(batch.report_ids)} of {announced}"
        yield f"{ticker}: {batch.completeness}, {told}"


def _doubtful(parties: Iterable[SettlementReported]) -> Iterator[str]:
    for each in parties:
        doubt = each.doubt()
        if doubt is not None:
            yield f"{each.ticker}, party {each.party}: {doubt}"


def _take(
    report: DayReport,
    pages: SettlementPages,
    codec: Codec,
    *,
    message: LoggedMessage,
    file: Path,
) -> None:
    """Count one page.  One that is not whole counts for nothing, and is named."""
    if message.first("715") not in {report.day.strftime("%Y%m%d"), ""}:
        return
    fields = zip(message.tags, message.values, strict=True)
    raw = "".join(f"{tag}={value}{SOH}" for tag, value in fields)
    try:
        received = codec.decode(raw.encode("utf-8", "surrogateescape"))
        if not isinstance(received.message, MarketSettlementReport):
            return
        session = session_of(received.header)
        taken = pages.take(received.message, session=session, at=sent_at(received.header))
    except TrueupError as error:
        report.problems.append(f"{file.name}, line {message.line}: not counted: {error}")
        return
    report.pages += 1
    report.repeated += taken.is_repeated
    report.sessions.add(session)
    report.take(taken.parties, where=f"{file.name}, line {message.line}")


def _paid(each: SettlementReported) -> str:
    """What one party was told to be paid, for a person; what was not said is a dash."""
    paid, net = (("–" if one is None else str(one)) for one in (each.payout, each.net))
    return f"{paid} for {net} at {each.result}"


def party_row(each: SettlementReported) -> Row:
    """One party of one market."""
    doubt = each.doubt()
    return {
        "party": each.party,
        "subaccount": each.subaccount,
        "ticker": each.ticker,
        "result": each.result.value,
        "settlement_price": each.value,
        "yes_count": each.long,
        "no_count": each.short,
        "gross": each.gross,
        "fees": each.fee,
        "fee_types": fee_types([each]),
        "payout": each.payout,
        "doubt": None if doubt is None else doubt.value,
    }


def fee_types(parties: Iterable[SettlementReported]) -> str:
    """Every kind of fee with its amount, e.g. ``4 exchange fee: 0.00006``."""
    return "; ".join(
        f"{kind} {FEE_TYPES.get(kind, 'unknown fee')}: {amount}"
        for kind, amount in fees_by_type(parties).items()
    )


def fees_by_type(parties: Iterable[SettlementReported]) -> dict[str, Money]:
    """The fees by the exchange's code of their kind (139: 4 is the exchange fee)."""
    sums: dict[str, Money] = {}
    for fee in (fee for each in parties for fee in each.fees):
        sums[fee.kind] = sums.get(fee.kind, ZERO_MONEY) + fee.amount
    return sums


def sum_of(amounts: Iterable[Money | None]) -> Money | None:
    """All amounts together; `None` when one of them was not said."""
    found = list(amounts)
    said = [each for each in found if each is not None]
    return sum(said, ZERO_MONEY) if len(said) == len(found) else None


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Exported:
    """Write rows as a CSV file.  Raises `ConfigError` when it cannot be written."""
    texts = (tuple("" if row[name] is None else str(row[name]) for name in columns) for row in rows)
    return write_table(path, tuple(columns), texts)
