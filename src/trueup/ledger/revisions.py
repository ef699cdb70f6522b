"""Facts that the exchange has told in more than one way.

A later version that only adds what was missing (a fee, a scalar value, a finer
time, a shard) simply takes the place of the earlier one.  One with the same money
and another time does too, but the first time stands: nobody paid twice, and the
balance moved then.  A version with other money is
a *revision*: the earlier one stays booked at its own time, and when the new one
became known, what was wrong is taken back by a reversal and booked again.
Later entries that rested on the revised one (their cost came from it) are taken
back and booked again with it, so that the sum is always the book as if the
newest version had been known from the start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from trueup.core.facts import Filled, Settled, Source, Stream
from trueup.core.ids import Shard
from trueup.core.instant import SECOND, Instant, format_instant, parse_instant
from trueup.core.observations import Recorded
from trueup.core.settlement import SettlementPageReported, SettlementReported
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.bare import BareReport
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.entries import Entry, EntryKind, Posting
from trueup.ledger.witnesses import can_pay, join_reports, paid_at

Step = Recorded | MarketStated | BareReport
"""What can be booked: a recorded fact, or of a market whose row never came the report of
FIX or its end.
"""

_HAPPENED = "revised; happened at "
"""In the evidence of an entry that a revision booked again: when its fact happened."""

_FILL, _ROW, _RESULT = 0, 1, 2
"""At one instant fills come before the settlement that pays them."""


class _Booking(Protocol):
    @property
    def log(self) -> Sequence[Entry]: ...


B = TypeVar("B", bound=_Booking)


@dataclass(frozen=True, slots=True)
class Revision:
    """A version with other money than the one before, known since `known_at`."""

    known_at: Instant
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class OutcomeRevision:
    """A final outcome of a market without a settlement row, known since `known_at`."""

    known_at: Instant
    market: MarketStated


AnyRevision = Revision | OutcomeRevision


def in_order(recorded: Iterable[Recorded], market: MarketStated | None) -> list[Step]:
    """The steps in the order in which they happened, whatever the order of arrival.

    What FIX reported stands at the end where a row is known, which it only confirms.  Where
    none is, it is the step that pays; the market's own result is one where neither is known.
    """
    listed = list(recorded)
    facts = sorted((each for each in listed if not _tells_of_reports(each)), key=_place)
    report = join_reports(each for each in listed if _tells_of_reports(each))
    steps: list[Step] = [*facts]
    if any(_is_row(each) for each in facts):
        return [*steps, *([] if report is None else [report])]
    if report is not None and can_pay(report):
        report = report._replace(at=paid_at(report, market))
        steps.insert(_index_after(facts, report.at), report)
    elif market is not None and market.settled_at is not None:
        steps.insert(_index_after(facts, market.settled_at), market)
    return steps


def _index_after(facts: Sequence[Recorded], at: Instant) -> int:
    """Where what pays at an instant stands among facts in their order."""
    index = len(facts)
    while index and _place(facts[index - 1]) > (at, _RESULT, ""):
        index -= 1
    return index


def find_revisions(recorded: Sequence[Recorded]) -> tuple[list[Recorded], list[Revision]]:
    """One version of each fact to begin with, and the revisions in the order they came."""
    revised: dict[tuple[Stream, str], list[Recorded]] = {
        _identity(each): [] for each in recorded if each.version > 1
    }
    reported = Counter(_identity(each) for each in recorded if _is_report(each))
    # A market that is reported under another date is the same settlement told anew.
    revised |= {identity: [] for identity, days in reported.items() if days > 1}
    if not revised:
        return list(recorded), []
    first: list[Recorded] = []
    for each in recorded:
        revised.get(_identity(each), first).append(each)
    revisions: list[Revision] = []
    for identity in sorted(revised):
        versions = sorted(revised[identity], key=_telling)
        known = versions[0]
        chain = [known]
        for version in versions[1:]:
            completed = _completed(known, version)
            known = version if completed is None else completed
            if completed is None:
                chain.append(known)
            else:
                chain[-1] = known
        first.append(chain[0])
        known_at = _known_at(chain[0])
        for each in chain[1:]:
            # A clock that was set back must not make a later version older than an earlier one.
            known_at = max(known_at, _known_at(each))
            revisions.append(Revision(known_at, each))
    revisions.sort(key=lambda each: (each.known_at, _identity(each.recorded)))
    return first, revisions


def correct(
    first: Sequence[Recorded],
    revisions: Sequence[AnyRevision],
    *,
    market: MarketStated | None,
    run: Callable[[Iterable[Step], MarketStated | None], B],
) -> tuple[tuple[Entry, ...], B]:
    """Book the revisions as they became known: all entries, and the booking as it is now.

    `run` books a list of steps by what the market says; it is called once for each
    moment of revision.  `market` is what the market said first.
    """
    state = {_identity(each): each for each in first}
    booking = run(in_order(state.values(), market), market)
    entries: list[Entry] = []
    since: Instant | None = None
    moments = sorted({revision.known_at for revision in revisions})
    for moment in moments:
        for revision in revisions:
            if revision.known_at != moment:
                continue
            if isinstance(revision, OutcomeRevision):
                market = revision.market
            else:
                state[_identity(revision.recorded)] = revision.recorded
        renewed = run(in_order(state.values(), market), market)
        entries.extend(_between(booking.log, since, moment))
        entries.extend(_corrections(booking.log, renewed.log, moment))
        booking, since = renewed, moment
    entries.extend(_between(booking.log, since, None))
    return tuple(entries), booking


def retold_times(recorded: Iterable[Recorded]) -> dict[str, Instant]:
    """The time that the newest version of each settlement row gives."""
    newest: dict[str, tuple[int, Instant]] = {}
    for each in recorded:
        if isinstance(each.value, Settled):
            told = (each.version, each.value.at)
            newest[each.key] = max(told, newest.get(each.key, told))
    return {key: at for key, (_, at) in newest.items()}


def revision_breaks(
    first: Iterable[Recorded], revisions: Iterable[AnyRevision]
) -> tuple[Break, ...]:
    """One break for each revision: what the exchange said before, and what it says now."""
    known = {_identity(each): each for each in first}
    breaks: list[Break] = []
    for revision in revisions:
        if isinstance(revision, OutcomeRevision):
            continue
        new = revision.recorded
        old = known[_identity(new)]
        known[_identity(new)] = new
        match old.value, new.value:
            case Settled() as before, Settled() as after:
                kind, amount = BreakKind.REVISED_SETTLEMENT, after.revenue - before.revenue
                told = f"{before.result}, revenue {before.revenue}"
                tells = f"{after.result}, revenue {after.revenue}"
            case Filled() as before, Filled() as after:
                kind, amount = BreakKind.REVISED_FILL, ZERO_MONEY
                told, tells = _fill_words(before), _fill_words(after)
            case SettlementReported() as before, SettlementReported() as after:
                kind = BreakKind.REVISED_SETTLEMENT
                amount = _more_paid(before, after)
                told, tells = _report_words(before), _report_words(after)
            case _:
                continue
        summary = f"the exchange changed {new.key} after it had shown it"
        if old.source is not new.source and Source.FIX in {old.source, new.source}:
            summary = f"FIX and the others tell {new.key} differently; the later word is booked"
        breaks.append(
            Break(
                identity=break_identity(kind, after.subaccount, after.ticker, new.key, new.version),
                kind=kind,
                severity=Severity.AMBER,
                subaccount=after.subaccount,
                shard=None if isinstance(after, SettlementReported) else after.shard,
                ticker=after.ticker,
                amount=amount,
                occurred_at=revision.known_at,
                summary=summary,
                evidence=(
                    f"version {old.version}, by {old.source}: {told}",
                    f"version {new.version}, by {new.source}: {tells}",
                ),
            )
        )
    return tuple(breaks)


def _more_paid(before: SettlementReported, after: SettlementReported) -> Money:
    """By how much the payout grew; nothing where one of the two does not say it."""
    if before.payout is None or after.payout is None:
        return ZERO_MONEY
    return after.payout - before.payout


def _report_words(reported: SettlementReported) -> str:
    paid = "an unknown amount" if reported.payout is None else reported.payout
    return f"{reported.result} on {reported.clearing_date}, paid {paid}"


def _fill_words(filled: Filled) -> str:
    fee = "unknown" if filled.fee is None else filled.fee
    return f"{filled.side} {filled.count} at YES price {filled.price}, fee {fee}"


def _between(entries: Iterable[Entry], since: Instant | None, until: Instant | None) -> list[Entry]:
    return [
        entry
        for entry in entries
        if (since is None or entry.at > since) and (until is None or entry.at <= until)
    ]


def _corrections(before: Iterable[Entry], after: Iterable[Entry], moment: Instant) -> list[Entry]:
    """Take back at `moment` what was booked otherwise before, and book it as it is now."""
    old = {(entry.stream, entry.key): entry for entry in before if entry.at <= moment}
    new = {(entry.stream, entry.key): entry for entry in after if entry.at <= moment}
    entries: list[Entry] = []
    for identity in reversed(old):
        entry = old[identity]
        if identity not in new or _moves(new[identity]) != _moves(entry):
            entries.append(_reversal(entry, moment))
    for identity, entry in new.items():
        if identity not in old or _moves(old[identity]) != _moves(entry):
            remark = f"{_HAPPENED}{format_instant(entry.at)}"
            evidence = f"{entry.evidence}; {remark}" if entry.evidence else remark
            entries.append(replace(entry, at=moment, evidence=evidence))
    return entries


def _moves(entry: Entry) -> tuple[int, tuple[Posting, ...]]:
    return entry.shard, entry.postings


def as_they_stand(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of one market without reversals, each at the time when its fact happened.

    This is the book as if the newest versions had been known from the start.
    """
    standing: dict[tuple[Stream, str], Entry] = {}
    for entry in entries:
        identity = (entry.stream, entry.key)
        if entry.kind is EntryKind.REVERSAL:
            standing.pop(identity, None)
            continue
        _, revised, happened = entry.evidence.partition(_HAPPENED)
        at = parse_instant(happened) if revised else entry.at
        standing[identity] = replace(entry, at=at) if revised else entry
    return sorted(
        standing.values(),
        key=lambda entry: (entry.at, entry.kind is EntryKind.SETTLEMENT, entry.key),
    )


def _reversal(entry: Entry, at: Instant) -> Entry:
    postings = tuple(
        Posting(posting.account, -posting.money, -posting.contracts) for posting in entry.postings
    )
    evidence = f"takes back version {entry.version}"
    return replace(entry, kind=EntryKind.REVERSAL, at=at, postings=postings, evidence=evidence)


def _completed(known: Recorded, newer: Recorded) -> Recorded | None:
    """The newer version with what only the known one has; `None` if the money differs."""
    match known.value, newer.value:
        case Filled() as old, Filled() as new:
            fee = old.fee if new.fee is None else new.fee
            at, shard, named = _finer(old.at, new.at), *_shard(old, new)
            merged = replace(new, fee=fee, at=at, shard=shard, shard_named=named)
            same = replace(
                old,
                fee=fee if old.fee is None else old.fee,
                at=at,
                shard=old.shard if old.shard_named else shard,
            )
            agrees = replace(merged, is_taker=same.is_taker) == same
            return replace(newer, value=merged) if agrees else None
        case Settled() as old, Settled() as new:
            value = old.value if new.value is None else new.value
            same = old.result == new.result and old.revenue == new.revenue
            shard, named = _shard(old, new)
            moved = old.shard_named and shard != old.shard
            if not same or moved or (old.value is not None and old.value != value):
                return None
            at = _finer(old.at, new.at)
            merged = replace(new, value=value, at=at, shard=shard, shard_named=named)
            return replace(newer, value=merged)
        case SettlementReported() as old, SettlementReported() as new:
            same = old.result is new.result and old.fee == new.fee
            if not same or (old.payout is not None and old.payout != new.payout):
                return None
            return replace(newer, value=replace(new, at=old.at))
        case _:
            return None


def _finer(old: Instant, new: Instant) -> Instant:
    """The first time, or the new one where the first is the same cut to (milli)seconds."""
    cut = any(old % step == 0 and new // step == old // step for step in (SECOND, SECOND // 1000))
    return new if cut else old


def _shard(old: Filled | Settled, new: Filled | Settled) -> tuple[Shard, bool]:
    """The shard of two versions, and whether one of them names it."""
    return (new.shard, True) if new.shard_named else (old.shard, old.shard_named)


def _known_at(recorded: Recorded) -> Instant:
    return max(_at(recorded), recorded.observed_at)


def _identity(recorded: Recorded) -> tuple[Stream, str]:
    value = recorded.value
    if isinstance(value, SettlementReported):
        return Stream.SETTLEMENT_REPORTS, f"{value.ticker}/{value.party}"
    if isinstance(value, SettlementPageReported):
        return Stream.SETTLEMENT_PAGES, f"{recorded.key} {recorded.version}"
    stream = Stream.SETTLEMENTS if _is_row(recorded) else Stream.FILLS
    return stream, recorded.key


def _telling(recorded: Recorded) -> tuple[str, int]:
    """Which of two ways in which one thing was told is the newer one."""
    value = recorded.value
    day = value.clearing_date.isoformat() if isinstance(value, SettlementReported) else ""
    return day, recorded.version


def _is_row(recorded: Recorded) -> bool:
    return isinstance(recorded.value, Settled)


def _is_report(recorded: Recorded) -> bool:
    return isinstance(recorded.value, SettlementReported)


def _tells_of_reports(recorded: Recorded) -> bool:
    return isinstance(recorded.value, SettlementReported | SettlementPageReported)


def _at(recorded: Recorded) -> Instant:
    value = recorded.value
    is_dated = isinstance(value, Filled | Settled | SettlementReported)
    return value.at if is_dated else recorded.observed_at


def _place(recorded: Recorded) -> tuple[int, int, str]:
    value = recorded.value
    if isinstance(value, Filled):
        return value.at, _FILL, recorded.key
    return _at(recorded), _ROW, recorded.key
