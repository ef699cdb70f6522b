"""What could explain a movement of the balance that no fact explains?

A *suspect* is something half known: a position in a market that has ended but
shows no payout, a deposit that is still pending, an order whose fills are
missing.  If the amount fits, it is named; it is never booked.  Where nothing
fits, the words say what is known and what is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import DAY, Instant, format_age, format_instant
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout, yes_value
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Count, Money, Price
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.entries import MarketBook
from trueup.ledger.movements import CashMovement
from trueup.ledger.proof import Interval, Proven

_PAIRED_MAX: Final = 60
"""Of how many suspects pairs are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """Something that may have moved `amount` of cash at some time in [`since`, `until`].

    `until` is `None` while it may still happen.  Of suspects with one `group`
    only one can be true.  A `likely` one is named even where it explains only a
    part.  `subaccount` or `shard` is `None` where it could be any.
    """

    group: str
    kind: BreakKind
    amount: Money
    since: Instant
    until: Instant | None
    words: str
    likely: bool = False
    ticker: Ticker | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None


def unpaid_positions(
    books: Iterable[MarketBook], markets: Mapping[Ticker, MarketStated]
) -> Iterator[Suspect]:
    """Held positions for which no payout is booked: what they may have been paid, and when.

    A market whose result is known has one candidate, another one a yes and a no.
    """
    for book in books:
        if not book.position.net:
            continue
        market = markets.get(book.ticker)
        held = f"position {_signed(book.position.net)} in {book.ticker}"
        since = book.last_at
        value: Price | None = None
        if market is not None:
            since = max(since, market.close_at or since)
            if market.result is not None:
                value = yes_value(market.result, market.settlement_value)
        if market is not None and market.result is not None and value is not None:
            words = f"{held}, market {market.status} {market.result} without a settlement"
            yield _unpaid(book, value, since, words=words, likely=True)
            continue
        unknown = "no result known" if market is None else f"market {market.status}, no result"
        for outcome, outcome_value in (("yes", ONE_DOLLAR), ("no", Price(0))):
            if gross_payout(book.position.net, outcome_value):
                words = f"{held}, {unknown}: a result of {outcome}"
                yield _unpaid(book, outcome_value, since, words=words, likely=False)


def _unpaid(book: MarketBook, value: Price, since: Instant, *, words: str, likely: bool) -> Suspect:
    return Suspect(
        group=f"settlement of {book.ticker} in {book.subaccount}",
        kind=BreakKind.MISSING_SETTLEMENT,
        amount=gross_payout(book.position.net, value),
        since=since,
        until=None,
        words=words,
        likely=likely,
        ticker=book.ticker,
        subaccount=book.subaccount,
        shard=book.shard,
    )


def explain(intervals: Iterable[Interval], suspects: Iterable[Suspect]) -> Iterator[Interval]:
    """The same intervals; the unproven ones with words on what could explain them.

    A suspect that explains one interval exactly is not offered for a later one.
    """
    waiting = list(suspects)
    for interval in intervals:
        if interval.verdict is not Proven.UNPROVEN:
            yield interval
            continue
        possible = [each for each in waiting if _possible(each, interval)]
        found = _exact(possible, interval.difference)
        if found:
            groups = {each.group for each in found}
            waiting = [each for each in waiting if each.group not in groups]
            words = tuple(f"{each.words} would explain {_money(each.amount)}" for each in found)
            kinds = {each.kind for each in found}
            yield replace(
                interval,
                explanations=words,
                suspected=found[0].kind if len(kinds) == 1 else None,
                ticker=found[0].ticker if len(found) == 1 else None,
            )
        else:
            yield replace(interval, explanations=_partly(interval, possible))


def _possible(suspect: Suspect, interval: Interval) -> bool:
    after = interval.after
    return (
        suspect.since <= interval.until
        and (suspect.until is None or interval.since is None or suspect.until >= interval.since)
        and (suspect.subaccount is None or after.subaccount in {None, suspect.subaccount})
        and (suspect.shard is None or after.shard in {None, suspect.shard})
    )


def _exact(possible: list[Suspect], difference: Money) -> tuple[Suspect, ...]:
    """One suspect with just this amount, or two that can both be true; likely ones first."""
    ordered = sorted(possible, key=lambda each: (not each.likely, each.since, each.words))
    for number in (1, 2):
        for chosen in combinations(ordered[:_PAIRED_MAX] if number > 1 else ordered, number):
            groups = {each.group for each in chosen}
            amount = sum((each.amount for each in chosen), ZERO_MONEY)
            if amount == difference and len(groups) == number:
                return chosen
    return ()


def _partly(interval: Interval, possible: list[Suspect]) -> tuple[str, ...]:
    """What is likely in any case, what is left then, and how much is known of the interval."""
    words: list[str] = []
    left = interval.difference
    for each in possible:
        if each.likely and each.amount:
            words.append(f"{each.words} would explain {_money(each.amount)}")
            left -= each.amount
    rest = "what is left" if words else "the amount"
    words.append(f"no fill or settlement is known for {rest}: {_money(left)}")
    if interval.since is not None and interval.until - interval.since > DAY:
        words.append(f"the readings lie {format_age(interval.until - interval.since)} apart")
    words.append(f"{interval.count} known movements add up to {_money(interval.explained)}")
    return tuple(words)


def interval_breaks(intervals: Iterable[Interval]) -> Iterator[Break]:
    """The breaks of a proof: unproven intervals, and timing that is closed or still open.

    Money that came without a fact may be an incentive or interest (amber); money
    that left without one never is (red).
    """
    for interval in intervals:
        match interval.verdict:
            case Proven.PROVEN:
                continue
            case Proven.UNPROVEN:
                kind = interval.suspected or BreakKind.UNATTRIBUTED_CASH
                came = interval.difference > ZERO_MONEY
                amber = kind is BreakKind.UNATTRIBUTED_CASH and came
                severity = Severity.AMBER if amber else Severity.RED
                summary = (
                    f"the balance moved by {_money(interval.difference)} "
                    f"{'more' if came else 'less'} than the known facts explain"
                )
            case Proven.OPEN:
                kind, severity = BreakKind.TIMING, Severity.AMBER
                summary = "the last reading does not show a movement next to it; no later one yet"
            case Proven.TIMING:
                kind, severity = BreakKind.TIMING, Severity.GREEN
                summary = "a movement crossed this reading, and the next one agreed again"
        yield _interval_break(interval, kind, severity=severity, summary=summary)


def _interval_break(
    interval: Interval, kind: BreakKind, *, severity: Severity, summary: str
) -> Break:
    after = interval.after
    since = "the beginning" if interval.since is None else format_instant(interval.since)
    shard = "all" if after.shard is None else after.shard
    # At an opening balance the level is judged beside the change.
    level = ("level",) if interval.before is None else ()
    return Break(
        identity=break_identity(kind, after.subaccount, shard, interval.until, *level),
        kind=kind,
        severity=severity,
        subaccount=after.subaccount,
        shard=after.shard,
        ticker=interval.ticker,
        amount=interval.difference,
        occurred_at=interval.until,
        summary=summary,
        evidence=(
            *interval.explanations,
            f"from {since} to {format_instant(interval.until)}",
            *(f"crossed: {movement_words(each)}" for each in interval.shifted),
            *(movement_words(each) for each in interval.movements[:10]),
        ),
    )


def movement_words(movement: CashMovement) -> str:
    """A movement in one line, for a person."""
    named = movement.key if movement.ticker is None else f"{movement.key} in {movement.ticker}"
    return f"{format_instant(movement.at)} {movement.kind} {named}: {_money(movement.amount)}"


def _signed(net: Count) -> str:
    side = Side.YES if net.units > 0 else Side.NO
    return f"{'+' if net.units > 0 else '-'}{abs(net)} {side.upper()}"


def _money(amount: Money) -> str:
    return f"{'+' if amount.units > 0 else ''}{amount}"
