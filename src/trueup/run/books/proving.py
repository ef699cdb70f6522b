"""Asking the one question: the cash proof and the reconciliation over the books.

Everything streams from the store, so the memory does not grow with the
history; what is found is noted in the register of breaks, where each break
keeps its age and what was decided about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from typing import Final

from trueup.core.facts import Stream
from trueup.core.fees import Precision, regime_at
from trueup.core.ids import PRIMARY, EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.statements import MarketStated
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.breaks import Break
from trueup.ledger.collateral_return import ExclusiveEvent, collateral_returns
from trueup.ledger.coverage import (
    Certificate,
    CertificateLine,
    Coverage,
    Refusal,
    Tier,
    Wanted,
    certify,
)
from trueup.ledger.entries import Evidence, MarketBook
from trueup.ledger.explain import explain, interval_breaks, unpaid_positions
from trueup.ledger.holds import holds
from trueup.ledger.movements import CashMovement
from trueup.ledger.order_check import unseen_fills
from trueup.ledger.pot_check import check_openings, check_pots
from trueup.ledger.proof import Interval, Proven, prove
from trueup.ledger.reconcile import Comparison, Verdict, reconcile, verdict
from trueup.run.books.fix_evidence import fix_certificate, fix_evidence
from trueup.run.books.listings import BEGINNING
from trueup.run.books.openings import Openings
from trueup.run.books.pot_movements import PotMovements
from trueup.run.collecting import collecting_rarely
from trueup.store import break_register
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.store.database import Books
from trueup.store.progress import Covered, as_coverage
from trueup.store.proof_reading import pots

Scope = tuple[Subaccount | None, Shard | None]

PROVEN_STREAMS: Final = (
    Stream.FILLS,
    Stream.ORDERS,
    Stream.SETTLEMENTS,
    Stream.DEPOSITS,
    Stream.WITHDRAWALS,
    Stream.TRANSFERS,
    Stream.SHARD_TRANSFERS,
)
LISTED_MAX: Final = 50_000
"""How many movements the intervals of a pot list in full, so that memory stays bounded."""
LISTED_LATER: Final = 5
"""How many a proven interval lists after that; its count always tells of all."""
_OF_THE_WHOLE_ACCOUNT: Final = tuple(s for s in PROVEN_STREAMS if s is not Stream.SETTLEMENTS)


@dataclass(frozen=True, slots=True)
class ScopeProof:
    """The proof of one pot of cash: a subaccount on a shard, or on all shards."""

    subaccount: Subaccount | None
    shard: Shard | None
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """The cash proof of every pot that was ever read, and the coverage it rests on.

    `counted` are the intervals that the verdict rests on, each amount once: those
    of the shards, and of a total only what its shards do not account for.
    `breaks` are about the pots themselves: not read, or opened otherwise.
    """

    scopes: tuple[ScopeProof, ...]
    counted: tuple[Interval, ...]
    breaks: tuple[Break, ...]
    certificate: Certificate
    verdict: Verdict

    def intervals(self) -> Iterator[Interval]:
        """The intervals of all pots, each amount once."""
        return iter(self.counted)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every break with its age, the proof, and the verdict over both.

    `verdict` counts everything: acknowledging a break explains nothing.
    `undecided` leaves out what somebody has acknowledged or closed with a reason.
    """

    breaks: tuple[AgedBreak, ...]
    proof: Proof
    verdict: Verdict
    undecided: Verdict


@collecting_rarely()
def prove_cash(
    books: Books,
    *,
    precision: Precision,
    now: Instant,
    collateral_return_since: Instant | None = None,
) -> Proof:
    """Prove every pot of cash between all its balance readings.

    `collateral_return_since`: when mutually exclusive events began to release their
    collateral early; `None`: they do not.
    """
    certificate = certificate_of(books, now=now)
    is_whole = certificate.complete and _begins_at_the_beginning(certificate)
    openings = Openings(books)
    moving = PotMovements(books)
    markets = _statements(books)
    suspects = [
        *unpaid_positions(books.market_books(open_only=True), markets),
        *unseen_fills(books.orders_by_id(), books.fills_by_order()),
    ]

    def step_at(at: Instant) -> Money:
        return regime_at(at).balance_step(precision)

    released = released_collateral(books, since=collateral_return_since)
    scopes: list[ScopeProof] = []
    for subaccount, shard in _scopes(books):
        returns = (
            each
            for each in released
            if subaccount in {None, each.subaccount} and shard in {None, each.shard}
        )
        resting = holds(books.rested_orders(subaccount, shard), books.fills_of)
        intervals = prove(
            books.balance_readings(subaccount, shard),
            moving.of(subaccount, shard),
            holds=merge(resting, returns, key=lambda each: each.at),
            precision=step_at,
            absolute=is_whole and not openings.opens(subaccount, shard),
            level=openings.level(subaccount, shard, whole=is_whole)
            if certificate.complete
            else None,
        )
        proven = tuple(_listing_less(explain(intervals, suspects)))
        scopes.append(ScopeProof(subaccount, shard, proven))
    counted = tuple(_counted(books, scopes))
    breaks = (
        *check_openings(openings.stated(), whole=_begins_at_the_beginning(certificate)),
        *_unread(books, scopes),
    )
    return Proof(
        scopes=tuple(scopes),
        counted=counted,
        breaks=breaks,
        certificate=certificate,
        verdict=verdict(breaks, counted),
    )


def released_collateral(books: Books, *, since: Instant | None) -> list[CashMovement]:
    """What mutually exclusive events released early, over all subaccounts; `since` as above."""
    if since is None:
        return []
    catalog = books.cache.catalog()
    markets: defaultdict[tuple[Subaccount, EventTicker], list[MarketBook]] = defaultdict(list)
    for book in books.market_books():
        market = catalog.markets.get(book.ticker)
        event = None if market is None else catalog.events.get(market.event_ticker)
        if event is not None and event.mutually_exclusive:
            markets[book.subaccount, event.ticker].append(book)
    events = [
        ExclusiveEvent(
            subaccount=subaccount,
            shard=listed[0].shard,
            ticker=ticker,
            markets=[(book.ticker, book.settled_at) for book in listed],
        )
        for (subaccount, ticker), listed in markets.items()
        if len(listed) > 1
    ]
    return collateral_returns(events, books.fills_of, since=since)


def _unread(books: Books, scopes: Sequence[ScopeProof]) -> Iterator[Break]:
    """The pots that nothing was proven about."""
    last = {(each.subaccount, each.shard): each.at for each in books.latest_balances()}
    judged = {(each.subaccount, each.shard) for each in scopes if each.intervals}

    def is_judged(subaccount: Subaccount | None, shard: Shard | None) -> bool:
        return bool({(subaccount, shard), (subaccount, None), (None, None)} & judged)

    newest = max(last.values(), default=BEGINNING)
    return check_pots(
        [(subaccount, newest) for subaccount in sorted({owner for owner, _ in pots(books.driver)})],
        {subaccount for subaccount, _ in judged},
        [(*scope, at) for scope, at in last.items() if not is_judged(*scope)],
    )


def _counted(books: Books, scopes: Sequence[ScopeProof]) -> Iterator[Interval]:
    """Every interval once: of a total only what the pots of its shards do not account for."""
    by_owner: defaultdict[Subaccount | None, list[ScopeProof]] = defaultdict(list)
    for scope in scopes:
        by_owner[scope.subaccount].append(scope)
        if scope.shard is not None:
            yield from scope.intervals
    named = pots(books.driver)
    for subaccount, of_owner in by_owner.items():
        shards = {each.shard: each.intervals for each in of_owner if each.shard is not None}
        needed = {
            shard for owner, shard in named if owner == subaccount and shard is not None
        } | set(shards)
        for scope in of_owner:
            if scope.shard is None:
                for interval in scope.intervals:
                    yield from _not_in_shards(interval, shards, needed)


def _not_in_shards(
    total: Interval, shards: Mapping[Shard, tuple[Interval, ...]], needed: set[Shard]
) -> Iterator[Interval]:
    """A total's interval, unless its shards say the same; of its amount what they leave."""
    if shards and all(_spans(shards.get(shard, ()), total) for shard in needed):
        return
    if total.verdict is not Proven.UNPROVEN:
        yield total
        return
    found = ZERO_MONEY
    for interval in (each for intervals in shards.values() for each in intervals):
        if interval.until <= total.until and (
            total.since is None or (interval.since or BEGINNING) >= total.since
        ):
            found += interval.difference
    if total.difference != found:
        yield replace(total, difference=Money(total.difference.units - found.units))


def _spans(intervals: Sequence[Interval], total: Interval) -> bool:
    """Whether the intervals of a shard judge all of the time that the total's does."""
    if not intervals or intervals[-1].until < total.until:
        return False
    first = intervals[0].since
    if total.since is None:
        return any(each.since is None for each in intervals)
    return first is None or first <= total.since


@collecting_rarely()
def reconcile_books(
    books: Books,
    *,
    precision: Precision,
    now: Instant,
    collateral_return_since: Instant | None = None,
    noting: bool = True,
) -> Reconciliation:
    """Compare the books with everything the exchange states, and note what differs.

    Without `noting` nothing is written: a break that nobody has noted yet is as old as `now`.
    """
    proof = prove_cash(
        books, precision=precision, now=now, collateral_return_since=collateral_return_since
    )
    breaks = reconcile(
        Comparison(
            books=books.market_books,
            now=now,
            markets=_statements(books),
            positions=books.latest_positions(),
            settlements=books.settlements(),
            orders=books.orders_by_id,
            fills=books.fills_by_order,
            catalog=books.cache.catalog(),
            precision=precision,
            quarantined=books.quarantined(),
            certificate=proof.certificate,
            transfers=books.transfer_entries(),
            fix=fix_evidence(books),
        )
    )
    breaks = [*breaks, *proof.breaks, *books.booking_breaks()]
    found = [*breaks, *interval_breaks(proof.intervals())]
    register = books.record_breaks(found, now=now) if noting else as_noted(books, found, now=now)
    current = {each.identity for each in found}
    shown = tuple(each for each in register if each.found.identity in current)
    decided = {each.found.identity for each in shown if each.status is not BreakStatus.OPEN}
    return Reconciliation(
        breaks=shown,
        proof=proof,
        verdict=verdict(breaks, proof.intervals()),
        undecided=verdict(
            (each for each in breaks if each.identity not in decided),
            _without(proof.intervals(), decided),
        ),
    )


def as_noted(books: Books, found: Iterable[Break], *, now: Instant) -> list[AgedBreak]:
    """The register as it would be if `found` were noted at `now`; nothing is written."""
    return break_register.seen(books.breaks(), found, now=now)


def certificate_of(books: Books, *, now: Instant) -> Certificate:
    """What is proven complete since the beginning, or since the opening balance.

    Each line says whose records it is about: a key that is locked to a subaccount
    proves that one complete, and nothing about the others.
    """
    covered = books.coverage()
    coverage = as_coverage(covered)
    since = max((opening.at for opening in books.openings()), default=BEGINNING)
    by_result, waiting = _paid_without_rows(books)
    whole = certify(
        coverage,
        now=now,
        refused=_refusals(books),
        wanted=Wanted(since=since, streams=_OF_THE_WHOLE_ACCOUNT, subaccounts=_views(covered)),
        served_by_result=by_result,
    )
    owners = sorted({each.subaccount for each in covered if each.subaccount is not None})
    settled = certify(
        coverage,
        now=now,
        wanted=Wanted(
            since=since, streams=(Stream.SETTLEMENTS,), subaccounts=tuple(owners) or (None,)
        ),
    )
    settled_lines = settled.lines
    if not waiting:
        # Rows that rolled off before they were seen are replaced by results, market by market.
        settled_lines = tuple(replace(line, missing=()) for line in settled_lines)
    return Certificate(
        at=now,
        lines=(*whole.lines, *_of_single_keys(coverage, whole), *settled_lines),
        unreachable=(),
        served_by_result=by_result,
        fix=fix_certificate(books),
    )


def _views(covered: Iterable[Covered]) -> tuple[Subaccount | None, ...]:
    """Whose streams must be complete: the account's, or those of the only subaccounts ever asked."""
    asked = {each.subaccount for each in covered if each.stream in _OF_THE_WHOLE_ACCOUNT}
    single = sorted(each for each in asked if each is not None)
    return tuple(single) if single and None not in asked else (None,)


def _of_single_keys(coverage: Coverage, whole: Certificate) -> Iterator[CertificateLine]:
    """What keys of one subaccount have proven beyond what is known of the whole account."""
    for line in whole.lines:
        if line.subaccount is not None:
            continue
        owners = {part.subaccount for part in coverage.spans if part.stream is line.stream}
        for owner in sorted(each for each in owners if each is not None):
            complete = coverage.of(line.stream, owner)
            if complete != line.complete:
                yield replace(line, subaccount=owner, complete=complete, missing=(), refused=False)


def _paid_without_rows(books: Books) -> tuple[int, bool]:
    """How many markets paid by their result; does a position wait for a row of a market
    that is over?
    """
    by_result = 0
    waiting = False
    for book in books.market_books():
        if book.evidence is Evidence.MARKET_RESULT:
            by_result += 1
        held = book.position.net and not book.settled
        waiting = waiting or bool(held and not _is_open(books, book))
    return by_result, waiting


def _refusals(books: Books) -> tuple[Refusal, ...]:
    """The streams that this key may not see, and whether the account could have any.

    What another key has fetched since is not refused any more.
    """
    fetched_at: defaultdict[Stream, Instant] = defaultdict(lambda: BEGINNING)
    for each in books.coverage():
        if each.tier is not Tier.STATED:
            fetched_at[each.stream] = max(fetched_at[each.stream], each.proven_at)
    refused = {
        each.progress.stream
        for each in books.fetches()
        if each.progress.refused and each.progress.at >= fetched_at[each.progress.stream]
    }
    if not refused:
        return ()
    known = [*pots(books.driver), *books.balance_scopes()]
    owners = {subaccount for subaccount, _ in known if subaccount is not None}
    shards = {shard for _, shard in known if shard is not None}
    matters = {
        Stream.TRANSFERS: len(owners) > 1,
        Stream.SHARD_TRANSFERS: len(shards) > 1,
        # Deposits and withdrawals move the cash of the primary subaccount.
        Stream.DEPOSITS: not owners or PRIMARY in owners,
        Stream.WITHDRAWALS: not owners or PRIMARY in owners,
    }
    return tuple(
        Refusal(stream=stream, matters=matters.get(stream, True)) for stream in sorted(refused)
    )


def _is_open(books: Books, book: MarketBook) -> bool:
    """Whether the market of a held position is known to be still undecided."""
    stated = books.market(book.ticker)
    return stated is not None and stated.result is None


def _begins_at_the_beginning(certificate: Certificate) -> bool:
    """Whether the account's cash is known from nothing on.

    What this key may not see moves nothing only in an account of one subaccount.
    """
    lines = [line for line in certificate.lines if line.stream is not Stream.SETTLEMENTS]
    settled = {line.subaccount for line in certificate.lines if line.stream is Stream.SETTLEMENTS}
    return all(
        (line.complete and line.complete[0].since == BEGINNING)
        or (line.refused and not line.missing and settled <= {None, PRIMARY})
        for line in lines
    )


def _scopes(books: Books) -> Sequence[Scope]:
    """The pots of cash that were read: shards before their total."""
    return sorted(books.balance_scopes(), key=lambda scope: (scope[0] or 0, scope[1] is None))


def _statements(books: Books) -> Mapping[Ticker, MarketStated]:
    return {stated.ticker: stated for stated in books.market_statements()}


def _listing_less(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """The same intervals; after `LISTED_MAX` movements, proven ones list their first few."""
    listed = 0
    for interval in intervals:
        listed += len(interval.movements)
        if listed > LISTED_MAX and interval.verdict is Proven.PROVEN:
            yield replace(interval, movements=interval.movements[:LISTED_LATER])
        else:
            yield interval


def _without(intervals: Iterable[Interval], decided: set[str]) -> Iterator[Interval]:
    """The intervals whose break nobody acknowledged or closed."""
    for interval in intervals:
        if not any(each.identity in decided for each in interval_breaks((interval,))):
            yield interval
