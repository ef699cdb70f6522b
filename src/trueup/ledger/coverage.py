"""What is proven complete, what to fetch next, and what can no longer be had.

The exchange keeps recent records in a live tier and older ones in a historical
tier (its page *Historical data*).  The two overlap, and their border moves: the
live tier must be read first.  Settlement rows have no historical tier: what has
left the live listing is gone, and only the result of its market can serve.
Deposits, withdrawals and transfers have one listing for all time.

A span is proven complete when a listing was read to its end for it, for all
subaccounts or for the one that was asked.  Beside that there is somebody's word
that a recording is complete: it counts, but is always shown as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from trueup.core.facts import Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import MINUTE, SECOND, Instant, format_instant
from trueup.core.units import ZERO_MONEY
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity

OVERLAP: Final = 10 * MINUTE
"""How much of a covered span is read again: the exchange's reads lag its writes."""


class Tier(StrEnum):
    """How a record is had from the exchange; `STATED`: it was not asked, somebody said so."""

    LIVE = "live"
    HISTORICAL = "historical"
    STATED = "stated"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `since` up to `until`, in time."""

    since: Instant
    until: Instant

    def words(self) -> str:
        """The span for a person."""
        since = format_instant(self.since) if self.since else "the beginning"
        until = format_instant(Instant(self.until - self.until % SECOND))
        return f"{since} … {until}"


@dataclass(frozen=True, slots=True)
class Part:
    """What a span is of: a stream of one subaccount (`None`: all of them) in one tier."""

    stream: Stream
    subaccount: Subaccount | None
    tier: Tier


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time as few spans as possible, in order; touching spans become one."""
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.since < span.until):
        if merged and span.since <= merged[-1].until:
            merged[-1] = Span(merged[-1].since, max(merged[-1].until, span.until))
        else:
            merged.append(span)
    return tuple(merged)


def without(whole: Span, covered: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of `whole` that no covered span holds."""
    left: list[Span] = []
    since = whole.since
    for span in merge(covered):
        if span.until <= since:
            continue
        if span.since >= whole.until:
            break
        if span.since > since:
            left.append(Span(since, span.since))
        since = max(since, span.until)
    if since < whole.until:
        left.append(Span(since, whole.until))
    return tuple(left)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The spans proven complete, by part.  An immutable value."""

    spans: Mapping[Part, tuple[Span, ...]] = field(default_factory=dict[Part, tuple[Span, ...]])

    def adding(self, part: Part, span: Span) -> Coverage:
        """With one more span."""
        spans = {**self.spans, part: merge((*self.spans.get(part, ()), span))}
        return Coverage(spans)

    def of(self, stream: Stream, subaccount: Subaccount | None) -> tuple[Span, ...]:
        """What is complete for a stream of a subaccount, over both tiers.

        What was fetched for all subaccounts at once counts for each of them.
        """
        return merge(
            span
            for part, spans in self.spans.items()
            if part.stream == stream and part.subaccount in {None, subaccount}
            for span in spans
        )

    def fetched(self, stream: Stream, subaccount: Subaccount | None) -> tuple[Span, ...]:
        """The part of it that listings of the exchange have proven."""
        asked = {part: spans for part, spans in self.spans.items() if part.tier is not Tier.STATED}
        return Coverage(asked).of(stream, subaccount)

    def covers(self, stream: Stream, subaccount: Subaccount | None, at: Instant) -> bool:
        """Whether the stream is proven complete at an instant."""
        return any(span.since <= at <= span.until for span in self.of(stream, subaccount))


@dataclass(frozen=True, slots=True, kw_only=True)
class TierBorders:
    """Where the live tier begins, as the exchange says (``GET /historical/cutoff``)."""

    trades_created_at: Instant
    orders_updated_at: Instant
    market_settled_at: Instant

    def of(self, stream: Stream) -> Instant | None:
        """The border for a stream; `None` where one listing holds all time."""
        match stream:
            case Stream.FILLS:
                return self.trades_created_at
            case Stream.ORDERS:
                return self.orders_updated_at
            case Stream.SETTLEMENTS:
                return self.market_settled_at
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What should be complete: these streams of these subaccounts since then."""

    since: Instant
    streams: tuple[Stream, ...]
    subaccounts: tuple[Subaccount | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A stream that the exchange does not show to this key.

    It `matters` where the account could have records of it all the same.
    """

    stream: Stream
    matters: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A listing to be read to its end for a span."""

    part: Part
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """A span that no listing of the exchange holds any more."""

    stream: Stream
    subaccount: Subaccount | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to fetch, in this order, and what cannot be fetched."""

    fetches: tuple[Fetch, ...]
    unreachable: tuple[Unreachable, ...]


def plan(coverage: Coverage, borders: TierBorders, *, now: Instant, wanted: Wanted) -> Plan:
    """What must be fetched so that `wanted` becomes complete up to `now`.

    The live tier comes first, because its border moves while we read.
    """
    live: list[Fetch] = []
    historical: list[Fetch] = []
    unreachable: list[Unreachable] = []
    whole = Span(wanted.since, now)
    for subaccount in wanted.subaccounts:
        for stream in wanted.streams:
            border = borders.of(stream)
            missing = without(whole, coverage.of(stream, subaccount))
            recent, older = _split(missing, wanted.since if border is None else border)
            live.extend(
                Fetch(part=Part(stream, subaccount, Tier.LIVE), span=_overlapped(span, whole))
                for span in recent
            )
            if stream is Stream.SETTLEMENTS:
                unreachable.extend(
                    Unreachable(stream=stream, subaccount=subaccount, span=span) for span in older
                )
            else:
                historical.extend(
                    Fetch(part=Part(stream, subaccount, Tier.HISTORICAL), span=span)
                    for span in older
                )
    return Plan(fetches=(*live, *historical), unreachable=tuple(unreachable))


def _split(spans: Iterable[Span], border: Instant) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The parts after the border, and those before it."""
    listed = tuple(spans)
    recent = tuple(Span(max(each.since, border), each.until) for each in listed)
    older = tuple(Span(each.since, min(each.until, border)) for each in listed)
    return (
        tuple(each for each in recent if each.since < each.until),
        tuple(each for each in older if each.since < each.until),
    )


def _overlapped(span: Span, whole: Span) -> Span:
    return Span(Instant(max(whole.since, span.since - OVERLAP)), span.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateLine:
    """One stream of one subaccount: what is complete, and what is missing.

    `refused`: the exchange does not show the stream to this key.  Then nothing is
    missing while the stream could not concern the account (`Refusal.matters`).
    `stated` is the part of `complete` that rests on somebody's word alone.
    """

    stream: Stream
    subaccount: Subaccount | None
    complete: tuple[Span, ...]
    missing: tuple[Span, ...]
    refused: bool = False
    stated: tuple[Span, ...] = ()

    @property
    def fetched(self) -> tuple[Span, ...]:
        """The part of `complete` that listings of the exchange have proven."""
        return tuple(part for span in self.complete for part in without(span, self.stated))

    def words(self) -> str:
        """The line for a person."""
        owner = "" if self.subaccount is None else f" of subaccount {self.subaccount}"
        if self.refused and not self.complete and not self.missing:
            return f"{self.stream}{owner}: not applicable to this key, the exchange refuses it"
        parts: list[str] = []
        if self.fetched or not self.stated:
            fetched = ", ".join(span.words() for span in self.fetched)
            parts.append(f"complete: {fetched or 'nothing yet'}")
        if self.stated:
            stated = ", ".join(span.words() for span in self.stated)
            parts.append(f"stated complete by you, not fetched: {stated}")
        text = f"{self.stream}{owner} {'; '.join(parts)}"
        if self.missing:
            text += f"; not covered: {', '.join(span.words() for span in self.missing)}"
        if self.refused:
            text += "; the exchange refuses it to this key"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is proven complete, in one value that can be printed or stored.

    `served_by_result` counts markets whose payout was booked from the market's
    result because no settlement row was seen.  `fix` says how FIX was listened to.
    """

    at: Instant
    lines: tuple[CertificateLine, ...]
    unreachable: tuple[Unreachable, ...]
    served_by_result: int
    fix: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing that was wanted is missing."""
        return not any(line.missing for line in self.lines)

    def words(self) -> tuple[str, ...]:
        """The certificate for a person, a line for each stream."""
        lines = [line.words() for line in self.lines]
        for each in self.unreachable:
            owner = "" if each.subaccount is None else f" of subaccount {each.subaccount}"
            lines.append(
                f"{each.stream}{owner}: rows of {each.span.words()} rolled off before they were seen"
            )
        if self.served_by_result:
            markets = (
                "1 market" if self.served_by_result == 1 else f"{self.served_by_result} markets"
            )
            lines.append(f"{Stream.SETTLEMENTS}: {markets} served by results instead of rows")
        return (*lines, *self.fix)


def certify(
    coverage: Coverage,
    *,
    now: Instant,
    wanted: Wanted,
    unreachable: Sequence[Unreachable] = (),
    served_by_result: int = 0,
    refused: Sequence[Refusal] = (),
    slack: int = OVERLAP,
) -> Certificate:
    """The coverage certificate as of `now`.

    A stream that is `refused` and does not matter is named, and not missed.

    The last `slack` microseconds are not asked for: records of the last moments
    are always still on their way.
    """
    whole = Span(wanted.since, Instant(max(wanted.since, now - slack)))
    matters = {each.stream: each.matters for each in refused}
    lines = tuple(
        CertificateLine(
            stream=stream,
            subaccount=subaccount,
            complete=coverage.of(stream, subaccount),
            stated=_stated(coverage, stream, subaccount),
            missing=without(whole, coverage.of(stream, subaccount))
            if matters.get(stream, True)
            else (),
            refused=stream in matters,
        )
        for subaccount in wanted.subaccounts
        for stream in wanted.streams
    )
    lost = tuple(
        each
        for each in unreachable
        if without(each.span, coverage.of(each.stream, each.subaccount))
    )
    return Certificate(at=now, lines=lines, unreachable=lost, served_by_result=served_by_result)


def _stated(coverage: Coverage, stream: Stream, subaccount: Subaccount | None) -> tuple[Span, ...]:
    fetched = coverage.fetched(stream, subaccount)
    return tuple(
        part for span in coverage.of(stream, subaccount) for part in without(span, fetched)
    )


def coverage_breaks(certificate: Certificate) -> list[Break]:
    """One amber break for each stream and subaccount with a gap."""
    return [
        Break(
            identity=break_identity(BreakKind.COVERAGE_GAP, line.subaccount, line.stream),
            kind=BreakKind.COVERAGE_GAP,
            severity=Severity.AMBER,
            subaccount=line.subaccount,
            shard=None,
            ticker=None,
            amount=ZERO_MONEY,
            occurred_at=line.missing[0].since,
            summary=f"{line.stream} are not proven complete",
            evidence=tuple(f"not covered: {span.words()}" for span in line.missing),
            remedy=_remedy(line, certificate),
        )
        for line in certificate.lines
        if line.missing
    ]


_REFUSED: Final = "The exchange refuses it to this key: use one that may read the whole account."


_ONE_SUBACCOUNT: Final = (
    "Since then only a key of one subaccount asked: sync with a key of the whole account."
)


def _remedy(line: CertificateLine, certificate: Certificate) -> str:
    if line.refused:
        return _REFUSED
    gone = any(
        each.stream == line.stream and each.subaccount == line.subaccount
        for each in certificate.unreachable
    )
    if gone:
        return "Part of it has rolled off the exchange's listing; market results serve instead."
    others = (each for each in certificate.lines if each.stream is line.stream)
    if line.subaccount is None and any(each.subaccount is not None for each in others):
        return _ONE_SUBACCOUNT
    return "Run `trueup backfill --full`."
