"""The journal: everything the exchange ever said, append-only.

A page of observations is one transaction: new versions, the typed rows, the
marks on the books to be made again and the progress of the fetch all happen,
or nothing does.  Seeing the same content again changes nothing, so pages may
be fetched twice, overlap or arrive in any order.

A fact that FIX tells as well as REST has a version of each, though they say the
same: what only one of the two has told can then be named.

A fact told with less than is known (no fee, no shard, a coarser time) is the
same fact.  One told in two ways by one page contradicts itself: each way is kept
once, the one with the latest time of its own last, and fetching the page again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Source, Stream
from trueup.core.observations import Observation, Quarantined
from trueup.store import quarantine, sql
from trueup.store.driver import AnyRow, Transaction
from trueup.store.journal_index import Tail
from trueup.store.merging import only_adds, with_known
from trueup.store.progress import Progress, save_progress
from trueup.store.records import (
    RecordKind,
    Rule,
    Version,
    hash_of,
    identity_of,
    kind_of,
)
from trueup.store.session import Session
from trueup.store.typed import project


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What a page brought.

    `new` records; `seen` again without any change; `revised`: a fact told
    otherwise; `completed`: a fact of which more is known now; `updated`: a
    later state of an order, a market, a position, a deposit or a transfer.
    """

    new: int = 0
    seen: int = 0
    revised: int = 0
    completed: int = 0
    updated: int = 0
    quarantined: int = 0

    def counts(self) -> dict[str, int]:
        """The numbers by the words that a person reads."""
        return {
            "new": self.new,
            "seen": self.seen,
            "revised": self.revised,
            "completed": self.completed,
            "updated": self.updated,
            "unreadable": self.quarantined,
        }

    def __add__(self, other: Appended) -> Appended:
        return Appended(
            new=self.new + other.new,
            seen=self.seen + other.seen,
            revised=self.revised + other.revised,
            completed=self.completed + other.completed,
            updated=self.updated + other.updated,
            quarantined=self.quarantined + other.quarantined,
        )

    @property
    def changed(self) -> bool:
        """Whether anything was written besides what could not be read."""
        return bool(self.new or self.revised or self.completed or self.updated)


def append(
    session: Session,
    observations: Sequence[Observation],
    *,
    stream: Stream,
    quarantined: Sequence[Quarantined] = (),
    unknown_fields: Sequence[str] = (),
    progress: Progress | None = None,
) -> Appended:
    """Store one page; see `trueup.store.database.Books.append`."""
    with session.writing() as transaction:
        appended = append_in(
            session,
            transaction,
            observations,
            stream=stream,
            quarantined=quarantined,
        )
        at = progress.at if progress is not None else _first_at(observations, quarantined)
        for name in unknown_fields:
            transaction.execute(sql.DRIFT, (stream.value, name, at, at))
        if progress is not None:
            records = len(observations) + len(quarantined)
            save_progress(transaction, progress, records=records)
    return appended


def append_page(
    session: Session, page: Observation, parties: Sequence[Observation]
) -> tuple[Appended, Appended]:
    """Store a page of a settlement report and its parties: both, or nothing."""
    with session.writing() as transaction:
        return (
            append_in(session, transaction, [page], stream=Stream.SETTLEMENT_PAGES),
            append_in(session, transaction, parties, stream=Stream.SETTLEMENT_REPORTS),
        )


def append_in(
    session: Session,
    transaction: Transaction,
    observations: Sequence[Observation],
    *,
    stream: Stream,
    quarantined: Sequence[Quarantined] = (),
) -> Appended:
    """Store observations of one stream inside a transaction."""
    page = _Page(stream, observations)
    page.look_up(transaction, session.tail)
    page.judge()
    transaction.insert("journal", sql.JOURNAL_COLUMNS, page.journal_rows)
    session.tail.add((row[0], row[3]) for row in page.journal_rows)
    session.tail.store(transaction)
    project(session, transaction, stream, page.versions)
    for record in quarantined:
        quarantine.keep(transaction, record)
    return Appended(
        new=page.counts[_Verdict.NEW],
        seen=page.counts[_Verdict.SEEN],
        revised=page.counts[_Verdict.REVISED],
        completed=page.counts[_Verdict.COMPLETED],
        updated=page.counts[_Verdict.UPDATED],
        quarantined=len(quarantined),
    )


class _Verdict(Enum):
    NEW = "new"
    SEEN = "seen"
    REVISED = "revised"
    COMPLETED = "completed"
    UPDATED = "updated"


class _Known(NamedTuple):
    """A version that the journal holds, or will hold after this page."""

    sequence: int
    version: int
    hash: bytes
    source: str
    observed_at: int


class _Told(NamedTuple):
    """An observation on its way into the journal."""

    key: str
    identity: int
    hash: bytes
    body: bytes
    row: AnyRow
    source: str
    observed_at: int
    raw: bytes


class _Page:
    """One page of one stream, judged against what is known."""

    def __init__(self, stream: Stream, observations: Sequence[Observation]) -> None:
        self._stream = stream
        self._kind: RecordKind = kind_of(stream)
        self._told = self._read(observations)
        self._known: dict[int, list[_Known]] = {}
        self._rows: dict[int, AnyRow] = {}
        """Rows of known versions by sequence, where a comparison needs them."""
        self._sequence = 0
        self._contradicted: set[int] = set()
        """Facts that this page tells in more than one way."""
        self.journal_rows: list[AnyRow] = []
        self.versions: list[Version] = []
        self.counts: dict[_Verdict, int] = dict.fromkeys(_Verdict, 0)

    def _read(self, observations: Sequence[Observation]) -> list[_Told]:
        kind, stream = self._kind, self._stream
        row_of, body_of, key_of = kind.row_of, kind.body, kind.key_of
        told: list[_Told] = []
        for value, source, observed_at, raw in observations:
            if value.__class__ is not kind.value_type:
                raise InvariantBroken(
                    f"{type(value).__name__} does not belong on the stream {stream}"
                )
            row = row_of(value)
            body = body_of(row)
            key = key_of(row)
            told.append(
                _Told(
                    key,
                    identity_of(stream, key),
                    hash_of(body),
                    body,
                    row,
                    _SOURCES[source],
                    observed_at,
                    raw,
                )
            )
        return told

    def look_up(self, transaction: Transaction, tail: Tail) -> None:
        """Fetch what the journal knows about the page's records."""
        if not self._told:
            return
        self._sequence = tail.refresh(transaction)
        keys = {told.identity: told.key for told in self._told}
        sequences = tail.find(transaction, keys)
        if not sequences:
            return
        known = self._known
        for stream, key, identity, *version in transaction.rows(
            sql.KNOWN_VERSIONS, (transaction.among(sequences),)
        ):
            if key != keys[identity] or stream != self._stream.value:
                # One chance in 10^7 among a million records; no way to go on from there.
                raise InvariantBroken(f"{stream}/{key} and {keys[identity]} share an identity")
            known.setdefault(identity, []).append(_Known._make(version))
        if self._kind.rule is Rule.FACT:
            self._look_up_rows(transaction)

    def _look_up_rows(self, transaction: Transaction) -> None:
        """Fetch the newest content of the facts that are told otherwise, or by another, now."""
        wanted = {
            versions[-1].sequence
            for told in self._told
            if (versions := self._known.get(told.identity))
            and (versions[-1].hash != told.hash or _is_witness(versions, told))
        }
        if wanted:
            for sequence, body in transaction.rows(sql.BODIES, (transaction.among(wanted),)):
                self._rows[sequence] = self._kind.row_from_body(body)

    def judge(self) -> None:
        """Decide about every observation, in order; a page may name a record twice."""
        counts, known = self.counts, self._known
        named: set[int] = set()
        for told in self._in_order():
            versions = known.get(told.identity)
            if versions is None:
                if told.identity in named:
                    versions = known[told.identity] = self._of_this_page(told.identity)
                else:
                    named.add(told.identity)
                    self._keep(told, (), completes=0)
                    continue
            told = self._with_known(versions[-1], told)  # noqa: PLW2901
            verdict = self._verdict(versions, told)
            counts[verdict] += 1
            if verdict is not _Verdict.SEEN:
                self._keep(told, versions, completes=int(verdict is _Verdict.COMPLETED))
                place = (self._sequence, len(versions) + 1)
                versions.append(_Known(*place, told.hash, told.source, told.observed_at))
                self._rows[self._sequence] = told.row
        counts[_Verdict.NEW] = sum(1 for version in self.versions if version[2] == 1)

    def _in_order(self) -> Sequence[_Told]:
        """The page's order, but the oldest first where it tells one fact in several ways."""
        if self._kind.rule is not Rule.FACT:
            return self._told
        contents: dict[int, bytes] = {}
        for told in self._told:
            if contents.setdefault(told.identity, told.hash) != told.hash:
                self._contradicted.add(told.identity)
        if not self._contradicted:
            return self._told
        occurred = self._kind.occurred
        return sorted(self._told, key=lambda told: told.row[occurred])

    def _with_known(self, latest: _Known, told: _Told) -> _Told:
        """What is told, with what is known already where it says less."""
        kind = self._kind
        if kind.rule is not Rule.FACT or latest.hash == told.hash:
            return told
        known, owner = self._rows[latest.sequence], kind.owner
        if kind.told_once:
            first = [known[p] if p in kind.told_once else v for p, v in enumerate(told.row)]
            told = _with_row(told, tuple(first), kind)
            if latest.hash == told.hash:
                return told
        row = with_known(known, told.row, moment=kind.occurred, owner=owner)
        if row == known:
            return told._replace(row=known, hash=latest.hash)
        if owner is not None and not only_adds(known, row, moment=kind.occurred, owner=owner):
            # Otherwise told: only where it happened is taken from what is known.
            row = (*told.row[:owner], *row[owner:])
        return told if row == told.row else _with_row(told, row, kind)

    def _of_this_page(self, identity: int) -> list[_Known]:
        """The first version of a record that this page has brought already."""
        place = next(i for i, row in enumerate(self.journal_rows) if row[3] == identity)
        sequence, _, _, _, number, digest, _, source, observed_at, *_ = self.journal_rows[place]
        self._rows[sequence] = self.versions[place][5]
        return [_Known(sequence, number, digest, source, observed_at)]

    def _keep(self, told: _Told, versions: Sequence[_Known], *, completes: int) -> None:
        """Add a version to what will be written; `versions` are those before it."""
        key, identity, digest, body, row, source, observed_at, raw = told
        self._sequence = sequence = self._sequence + 1
        number = len(versions) + 1
        occurred_at = row[self._kind.occurred]
        self.journal_rows.append(
            (
                sequence,
                self._stream.value,
                key,
                identity,
                number,
                digest,
                completes,
                source,
                observed_at,
                observed_at if occurred_at is None else occurred_at,
                body.decode(),
                raw,
            )
        )
        first, replaced = sequence, None
        if versions:
            first, replaced = versions[0].sequence, self._rows.get(versions[-1].sequence)
        self.versions.append((first, sequence, number, source, observed_at, row, replaced))

    def _verdict(self, versions: list[_Known], told: _Told) -> _Verdict:
        latest = versions[-1]
        if latest.hash == told.hash or self._kind.rule is Rule.ONCE:
            is_witness = self._kind.rule is Rule.FACT and _is_witness(versions, told)
            return _Verdict.COMPLETED if is_witness else _Verdict.SEEN
        if self._kind.rule is Rule.STATE:
            return _Verdict.UPDATED
        if any(version.hash == told.hash for version in versions):
            return _Verdict.REVISED if self._goes_back(latest, told) else _Verdict.SEEN
        if self._kind.rule is Rule.MERGED:
            return _Verdict.UPDATED
        return self._fact_verdict(self._rows[latest.sequence], told.row)

    def _goes_back(self, latest: _Known, told: _Told) -> bool:
        """Whether a source takes back what it said last, for what it had said before.

        Not where the same page says both, nor for what happened before the
        newest version did: that is an older row of the same listing.
        """
        kind = self._kind
        if kind.rule is not Rule.FACT or told.identity in self._contradicted:
            return False
        if latest.source != told.source or latest.observed_at >= told.observed_at:
            return False
        known = self._rows[latest.sequence]
        return kind.place is None or told.row[kind.occurred] >= known[kind.occurred]

    def _fact_verdict(self, known: AnyRow, told: AnyRow) -> _Verdict:
        """A fact told in words never heard before: more, less, later or otherwise."""
        kind = self._kind
        if only_adds(known, told, moment=kind.occurred, owner=kind.owner):
            return _Verdict.COMPLETED
        if kind.status is not None and known[kind.status] != told[kind.status]:
            return _Verdict.UPDATED
        return _Verdict.REVISED


def _with_row(told: _Told, row: AnyRow, kind: RecordKind) -> _Told:
    body = kind.body(row)
    return told._replace(row=row, body=body, hash=hash_of(body))


def _is_witness(versions: Sequence[_Known], told: _Told) -> bool:
    """Whether FIX now says what others said, or another what FIX said: kept once, as a version
    that adds no more than that, so that what only one of them told can be named.
    """
    sources = {version.source for version in versions}
    if told.source in sources:
        return False
    return told.source == _FIX or sources == {_FIX}


_FIX: Final = Source.FIX.value
_SOURCES: Final[dict[Source, str]] = {source: source.value for source in Source}


def _first_at(observations: Sequence[Observation], quarantined: Sequence[Quarantined]) -> int:
    first = next(iter([*observations[:1], *quarantined[:1]]), None)
    return 0 if first is None else first.observed_at
