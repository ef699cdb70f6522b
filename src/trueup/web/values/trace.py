"""From a figure to what made it: ledger entries, the records they book, the raw payloads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Settled, Stream
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant, eastern_day, parse_instant
from trueup.core.statements import MarketStated, PositionStated
from trueup.core.units import ZERO_MONEY, Count, Money
from trueup.ledger.accounts import Account as LedgerAccount
from trueup.ledger.entries import Entry, EntryKind
from trueup.run.books.account import Account
from trueup.store.reading import Evidence
from trueup.web.values import shown
from trueup.web.values.activity import record_href
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

_GAINS = frozenset(
    {LedgerAccount.REALIZED, LedgerAccount.SETTLEMENT_FEES, LedgerAccount.INCENTIVES}
)
_FEES = frozenset({LedgerAccount.TRADING_FEES, LedgerAccount.BANKING_FEES})
_MIDDAY = 12 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an entry did."""

    cash: Money
    realized: Money
    fees: Money

    @property
    def net(self) -> Money:
        """Realised after fees."""
        return self.realized - self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the exchange: all its versions with their payloads, and what they book."""

    stream: Stream
    key: str
    versions: Sequence[Evidence]
    entries: Sequence[Entry]
    ticker: Ticker | None

    @property
    def found(self) -> bool:
        """Whether there is such a record."""
        return bool(self.versions)


def effect(entry: Entry) -> Effect:
    """The sum of an entry's legs by what they mean."""
    cash = realized = fees = 0
    for posting in entry.postings:
        if posting.account is LedgerAccount.CASH:
            cash += posting.money.units
        elif posting.account in _GAINS:
            realized -= posting.money.units
        elif posting.account in _FEES:
            fees += posting.money.units
    return Effect(cash=Money(cash), realized=Money(realized), fees=Money(fees))


def total_effect(entries: Iterable[Entry]) -> Effect:
    """All of them together."""
    total = Effect(cash=ZERO_MONEY, realized=ZERO_MONEY, fees=ZERO_MONEY)
    for each in map(effect, entries):
        total = Effect(
            cash=total.cash + each.cash,
            realized=total.realized + each.realized,
            fees=total.fees + each.fees,
        )
    return total


def entry_row(entry: Entry, *, prefix: str = "") -> TableRow:
    """An entry of the ledger."""
    did = effect(entry)
    held = sum(
        each.contracts.units for each in entry.postings if each.account is LedgerAccount.POSITIONS
    )
    return TableRow(
        key=f"{entry.stream}/{entry.key}/{entry.version}/{entry.kind}/{entry.subaccount}",
        href=record_href(prefix, entry.stream, entry.key),
        tone="look" if entry.kind is EntryKind.REVERSAL else "",
        cells={
            "at": shown.moment(entry.at),
            "kind": shown.words(entry.kind.value),
            "ticker": shown.words(
                entry.ticker,
                href=f"{prefix}/position/{entry.subaccount}/{entry.ticker}" if entry.ticker else "",
            ),
            "strategy": shown.words(entry.strategy, tone=Tone.MUTED),
            "contracts": shown.count(Count(held), signed=True) if held else shown.note(""),
            "cash": shown.change(did.cash),
            "realized": shown.money(did.realized, signed=True),
            "fees": shown.money(did.fees),
            "net": shown.money(did.net, signed=True),
        },
    )


def posting_rows(entry: Entry) -> list[TableRow]:
    """The legs of an entry; they sum to zero."""
    return [
        TableRow(
            key=str(place),
            cells={
                "account": shown.words(posting.account.value),
                "money": shown.change(posting.money) if posting.money else shown.note(""),
                "contracts": shown.count(posting.contracts, signed=True)
                if posting.contracts
                else shown.note(""),
            },
        )
        for place, posting in enumerate(entry.postings)
    ]


def record(account: Account, stream: str, key: str) -> Record:
    """A record by its name in the journal.  Raises `CallerError` for a stream that is none."""
    if stream not in {each.value for each in Stream}:
        raise CallerError(f"there is no stream {stream!r}", remedy="Follow a link of the page.")
    of = Stream(stream)
    versions = account.books.evidence(of, key)
    ticker = _ticker(versions[-1].recorded.value) if versions else None
    entries = account.books.entries_of(of, key, ticker=ticker)
    return Record(stream=of, key=key, versions=versions, entries=entries, ticker=ticker)


def _ticker(value: object) -> Ticker | None:
    if isinstance(value, Filled | OrderReported | Settled | PositionStated | MarketStated):
        return value.ticker
    return None


def pretty(raw: bytes) -> str:
    """A payload as the exchange sent it, its JSON broken into lines; other text as it is."""
    text = raw.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def day_span(day: str) -> tuple[Instant, Instant]:
    """From midnight to midnight of an Eastern day.  Raises `NotANumber` for what is no day."""
    noon = Instant(parse_instant(f"{day}T00:00:00Z") + _MIDDAY + 4 * HOUR)
    begin = Instant(noon - noon % HOUR)
    while eastern_day(Instant(begin - 1)) == day:
        begin = Instant(begin - HOUR)
    end = Instant(noon - noon % HOUR)
    while eastern_day(end) == day:
        end = Instant(end + HOUR)
    return begin, end


def by_market(entries: Iterable[Entry], *, prefix: str = "") -> list[TableRow]:
    """What each market earned in some entries, the largest first."""
    sums: dict[tuple[int, Ticker | None], list[Entry]] = {}
    for each in entries:
        sums.setdefault((each.subaccount, each.ticker), []).append(each)
    found = [(where, total_effect(listed), len(listed)) for where, listed in sums.items()]
    found.sort(key=lambda each: -abs(each[1].net.units))
    return [
        TableRow(
            key=f"{where[0]}/{where[1]}",
            href=f"{prefix}/position/{where[0]}/{where[1]}" if where[1] else "",
            cells={
                "ticker": Shown(where[1] or "no market"),
                "entries": shown.number(count),
                "cash": shown.change(did.cash),
                "realized": shown.money(did.realized, signed=True),
                "fees": shown.money(did.fees),
                "net": shown.money(did.net, signed=True),
            },
        )
        for where, did, count in found
    ]
