"""How far fetches have come, and what they have proven complete.

A fetch's progress is stored in the same transaction as the page it belongs to,
so a fetch that was stopped (Ctrl-C, `kill -9`, a power cut) goes on exactly
where it was, and coverage is never claimed for a page that was lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trueup.core.facts import Stream
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant
from trueup.ledger.coverage import Coverage, Part, Span, Tier, merge
from trueup.store import sql
from trueup.store.driver import AnyRow, Reading, Transaction

NOT_FOR_THIS_KEY: Final = "not for this key"
"""The place of a fetch that the exchange refused: this key may not see the stream."""

_ALL: Final = -1
_NO_START: Final = -1
_HEARD: Final = "fix "
"""Before the name of a session that was listened to, in the place of a tier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A stream is proven complete from `start` up to `end`.

    `subaccount` or `shard` is `None` where the fetch asked for all of them.
    """

    stream: Stream
    subaccount: Subaccount | None
    shard: Shard | None
    tier: Tier
    start: Instant
    end: Instant
    proven_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one fetch has come after a page.

    Its identity: stream, subaccount, shard, tier and `window_start` (`None`: from
    the beginning), so a sync does not disturb a backfill that was interrupted.
    `cursor` names the next page.  The last page has `done` set, and then
    `covers` may say for which time the stream is now complete.
    """

    stream: Stream
    subaccount: Subaccount | None
    shard: Shard | None
    tier: Tier
    window_start: Instant | None
    window_end: Instant | None
    cursor: str
    done: bool
    at: Instant
    covers: tuple[Instant, Instant] | None = None

    @property
    def refused(self) -> bool:
        """Whether the exchange said that this key may not see the stream."""
        return self.cursor == NOT_FOR_THIS_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """The stored state of a fetch: its last `progress`, and what it has brought so far."""

    progress: Progress
    pages: int
    records: int


def save_progress(transaction: Transaction, progress: Progress, *, records: int) -> None:
    """Store the progress of a fetch, inside the transaction of its page."""
    state = "done" if progress.done else "running"
    identity = _identity(progress)
    start = _NO_START if progress.window_start is None else progress.window_start
    transaction.execute(sql.FETCHES_DONE_FORGET, (*identity, start))
    transaction.execute(
        sql.FETCH_SAVE,
        (*identity, start, progress.window_end, progress.cursor, state, records, progress.at),
    )
    if progress.covers is not None:
        _extend(transaction, identity, progress.covers, proven_at=progress.at)


def fetches(reading: Reading) -> list[Fetch]:
    """Every fetch, running or done."""
    return [_fetch(row) for row in reading.rows(sql.FETCHES)]


def coverage(reading: Reading) -> list[Covered]:
    """What listings have proven complete: disjoint intervals in order."""
    return list(_covered(reading))


def heard(reading: Reading, stream: Stream, session: str = "") -> tuple[Span, ...]:
    """For which times nothing that FIX told of a stream was missed, in order.

    By all sessions together, or by one.
    """
    wanted = _heard_by(session)
    return merge(
        Span(Instant(start), Instant(end))
        for name, _, _, tier, start, end, _ in reading.rows(sql.COVERAGE)
        if name == stream.value and (tier.startswith(_HEARD) if not session else tier == wanted)
    )


def note_heard(transaction: Transaction, stream: Stream, span: Span, session: str) -> None:
    """Note that a session missed nothing that FIX told of a stream in a span."""
    identity = (stream.value, _ALL, _ALL, _heard_by(session))
    _extend(transaction, identity, (span.since, span.until), proven_at=span.until)


def _heard_by(session: str) -> str:
    """The word in the place of the tier: each session has its own numbers, so its own spans."""
    return f"{_HEARD}{session}"


def _covered(reading: Reading) -> list[Covered]:
    return [
        Covered(
            stream=Stream(stream),
            subaccount=None if subaccount == _ALL else subaccount,
            shard=None if shard == _ALL else shard,
            tier=Tier(tier),
            start=start,
            end=end,
            proven_at=proven_at,
        )
        for stream, subaccount, shard, tier, start, end, proven_at in reading.rows(sql.COVERAGE)
        if not tier.startswith(_HEARD)
    ]


def as_coverage(covered: Iterable[Covered]) -> Coverage:
    """The ledger's coverage value.

    What was fetched from one shard alone does not cover a subaccount, so it is left out.
    """
    value = Coverage()
    for each in covered:
        if each.shard is None:
            part = Part(each.stream, each.subaccount, each.tier)
            value = value.adding(part, Span(each.start, each.end))
    return value


def forget_fetch(transaction: Transaction, progress: Progress) -> None:
    """Drop a fetch's place (a cursor that the exchange no longer knows)."""
    start = _NO_START if progress.window_start is None else progress.window_start
    transaction.execute(sql.FETCH_FORGET, (*_identity(progress), start))


def _identity(progress: Progress) -> tuple[str, int, int, str]:
    return (
        progress.stream.value,
        _ALL if progress.subaccount is None else progress.subaccount,
        _ALL if progress.shard is None else progress.shard,
        progress.tier.value,
    )


def _fetch(row: AnyRow) -> Fetch:
    stream, subaccount, shard, tier, start, end, cursor, state, pages, records, at = row
    progress = Progress(
        stream=Stream(stream),
        subaccount=None if subaccount == _ALL else subaccount,
        shard=None if shard == _ALL else shard,
        tier=Tier(tier),
        window_start=None if start == _NO_START else start,
        window_end=end,
        cursor=cursor,
        done=state == "done",
        at=at,
    )
    return Fetch(progress=progress, pages=pages, records=records)


def _extend(
    transaction: Transaction,
    identity: tuple[str, int, int, str],
    covers: tuple[Instant, Instant],
    *,
    proven_at: Instant,
) -> None:
    """Add an interval to the coverage; touching intervals become one."""
    intervals = [
        (start, end, proven) for start, end, proven in transaction.rows(sql.COVERAGE_OF, identity)
    ]
    intervals.append((*covers, proven_at))
    joined: list[tuple[int, int, int]] = []
    for start, end, proven in sorted(intervals):
        if joined and start <= joined[-1][1]:
            first, last, before = joined[-1]
            joined[-1] = (first, max(last, end), max(before, proven))
        else:
            joined.append((start, end, proven))
    transaction.execute(sql.COVERAGE_CLEAR, identity)
    transaction.insert(
        "coverage",
        ("stream", "subaccount", "shard", "tier", "start_at", "end_at", "proven_at"),
        [(*identity, *interval) for interval in joined],
    )
