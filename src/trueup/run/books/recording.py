"""A folder of recorded payloads into the books, on the same road as a sync.

The files of a folder say by their names which stream they hold, and may have
several forms (`trueup.run.books.recording_files`); each row is one item as the REST API
gave it; one of ``balances.jsonl`` is the body of ``GET /portfolio/balance``.
Every line goes through the decoder of its stream into the journal, marked as a
recording, and from there to booking and proof.  A line may say in addition, as
the API does not: ``observed_at``, when it was seen, and ``subaccount_number``,
whose it is (the primary account's where it does not say).

A recording proves nothing complete: it holds what somebody happened to write
down.  Whoever knows more says so, in ``manifest.json`` beside the files or in
the call; only that word is stored as coverage.

All lines are looked at before the first one is stored (`check_recording`), so a
file that is cut off leaves the books as they were.  Importing a folder again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from trueup.core.catalog import Event, FeeChange, Series
from trueup.core.errors import ConfigError, NotANumber
from trueup.core.facts import Source, Stream
from trueup.core.instant import Instant, format_instant, parse_instant
from trueup.core.observations import Observation, Quarantined
from trueup.ledger.coverage import Span, Tier
from trueup.run.books.fetching import PAGE_SIZE, Told, tell_nobody
from trueup.run.books.listings import BEGINNING
from trueup.run.books.proving import PROVEN_STREAMS
from trueup.run.books.recorded_rows import (
    CATALOG_READERS,
    EXTRA_FIELDS,
    JOURNAL_FILES,
    MARKET_FILES,
    JournalFile,
    RecordedMarket,
    read_recorded_market,
    read_remarks,
)
from trueup.run.books.recording_files import MANIFEST_NAME, RecordedFile, find_files
from trueup.store.database import Books
from trueup.store.journal import Appended
from trueup.store.progress import Progress
from trueup.store.records import Rule, kind_of
from trueup.wire.rest.reading import UNREADABLE
from trueup.wire.rest.rows.markets import KNOWN as KNOWN_MARKET

T = TypeVar("T")

_SUFFIX: Final = ".jsonl"

_FILES_OF: Final[dict[Stream, tuple[str, ...]]] = {
    stream: tuple(name for name, file in JOURNAL_FILES.items() if file.stream is stream)
    for stream in PROVEN_STREAMS
}
"""Which files may hold a stream that can be covered; one of them must be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSpan:
    """Somebody's word that a recording is complete for these streams in this time.

    `streams` empty: every stream that has a file in the folder.
    """

    span: Span
    streams: tuple[Stream, ...] = ()


@dataclass(slots=True)
class ImportReport:
    """What an import brought, stream by stream, and what it was told to be complete."""

    folder: Path
    brought: dict[Stream, Appended] = field(default_factory=dict[Stream, Appended])
    described: dict[str, int] = field(default_factory=dict[str, int])
    """How many series, events, markets and fee changes were put into the catalog."""
    covered: dict[Stream, tuple[Span, ...]] = field(default_factory=dict[Stream, tuple[Span, ...]])
    notes: list[str] = field(default_factory=list[str])
    others: tuple[Path, ...] = ()
    """Files of the folder that are no stream and were left alone."""

    def add(self, stream: Stream, appended: Appended) -> None:
        """Count what a page of a stream brought."""
        self.brought[stream] = self.brought.get(stream, Appended()) + appended

    @property
    def total(self) -> Appended:
        """Everything that was brought."""
        return sum(self.brought.values(), Appended())

    @property
    def read_anything(self) -> bool:
        """Whether any line could be read, new or known."""
        total = self.total
        return bool(total.changed or total.seen or any(self.described.values()))


@dataclass(frozen=True, slots=True)
class CheckedFolder:
    """A folder whose files and lines were looked at (`check_recording`)."""

    folder: Path
    files: Mapping[str, Sequence[RecordedFile]]
    spans: Mapping[Stream, tuple[Span, ...]]
    """What is said to be complete."""
    others: tuple[Path, ...] = ()
    """Files that are no stream of a recording and were left alone."""


def check_recording(folder: Path, *, covers: Sequence[StatedSpan] = ()) -> CheckedFolder:
    """Look at every line of a folder, and at what is said to be complete.

    `covers` adds to what the folder's manifest states.  Raises `ConfigError` that
    names the file, and the line where there is one: no such folder, an unknown
    file, a line that is no JSON object, a manifest that cannot be true.
    """
    found, others = find_files(folder)
    files: dict[str, list[RecordedFile]] = {}
    for file in found:
        files.setdefault(file.stream, []).append(file)
    spans = _spans_by_stream((*_read_manifest(folder), *covers), files, folder)
    for file in found:
        for _ in file.rows():
            pass
    return CheckedFolder(folder, files, spans, tuple(others))


def import_recording(
    books: Books, checked: CheckedFolder, *, now: Instant, told: Told = tell_nobody
) -> ImportReport:
    """Import a checked folder; the caller holds the writer lease, and books afterwards.

    `now` is when lines were seen that nobody noted a time for.  A row that
    cannot be read is quarantined, and the import goes on.
    """
    files = checked.files
    report = ImportReport(checked.folder, others=checked.others)
    run = _Import(books, report, now=now, told=told)
    for name in CATALOG_READERS:
        if name in files:
            run.describe(name, files[name])
    for name in MARKET_FILES:
        if name in files:
            run.markets(files[name])
    for name, file in JOURNAL_FILES.items():
        if name in files:
            run.journal(file, files[name])
    for stream, stated in checked.spans.items():
        run.cover(stream, stated)
    return run.report


def parse_span(text: str) -> Span:
    """The time that ``FROM..TO`` names, both RFC 3339; without FROM it is since ever.

    Raises `ConfigError`.
    """
    since, dots, until = text.partition("..")
    remedy = "Write it like 2026-05-01T00:00:00Z..2026-06-01T00:00:00Z."
    if not dots or not until:
        raise ConfigError(f"{text!r} is no span of time", remedy=remedy)
    try:
        return _span(since, until, text)
    except NotANumber as error:
        raise ConfigError(f"{text!r} is no span of time: {error}", remedy=remedy) from error


def _span(since: str, until: str, words: str) -> Span:
    span = Span(parse_instant(since) if since else BEGINNING, parse_instant(until))
    if span.since >= span.until:
        raise ConfigError(f"{words} ends before it begins", remedy="Exchange the two times.")
    return span


# What is there


_as_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _pages(files: Sequence[RecordedFile]) -> Iterator[tuple[Path, list[tuple[int, bytes]]]]:
    for file in files:
        rows = file.rows()
        while page := list(islice(rows, PAGE_SIZE)):
            yield file.path, page


# What is said to be complete


class _ManifestSpan(msgspec.Struct, forbid_unknown_fields=True, rename={"since": "from"}):
    to: str
    since: str = ""
    streams: tuple[str, ...] = ()


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    covers: tuple[_ManifestSpan, ...] = ()
    note: str = ""


def _read_manifest(folder: Path) -> Iterator[StatedSpan]:
    path = folder / MANIFEST_NAME
    if not path.exists():
        return
    remedy = 'Write {"covers": [{"streams": ["fills"], "from": "…Z", "to": "…Z"}]}.'
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=_Manifest)
        for each in manifest.covers:
            yield StatedSpan(
                span=_span(each.since, each.to, f"{path}: {each.since}..{each.to}"),
                streams=tuple(_covered_stream(word, path) for word in each.streams),
            )
    except (msgspec.MsgspecError, UnicodeDecodeError, NotANumber) as error:
        raise ConfigError(f"{path} cannot be used: {error}", remedy=remedy) from error


def _covered_stream(word: str, path: Path) -> Stream:
    for stream in PROVEN_STREAMS:
        if stream.value == word:
            return stream
    raise ConfigError(
        f"{path}: {word!r} is no stream that can be complete",
        remedy=f"Use {', '.join(stream.value for stream in PROVEN_STREAMS)}.",
    )


def _spans_by_stream(
    stated: Sequence[StatedSpan], files: Mapping[str, object], folder: Path
) -> dict[Stream, tuple[Span, ...]]:
    """The stated spans, stream by stream; each of these must have a file."""
    present = {s for s in PROVEN_STREAMS if any(name in files for name in _FILES_OF[s])}
    spans: dict[Stream, tuple[Span, ...]] = {}
    for each in stated:
        for stream in each.streams or [s for s in PROVEN_STREAMS if s in present]:
            if stream not in present:
                name = _FILES_OF[stream][0] + _SUFFIX
                raise ConfigError(
                    f"{folder}: {stream.value} are said to be complete, but there is no {name}",
                    remedy=f"If there were none in that time, say so with an empty {name}.",
                )
            spans[stream] = (*spans.get(stream, ()), each.span)
    return spans


# Into the books


class _Import:
    """One run over a folder."""

    def __init__(self, books: Books, report: ImportReport, *, now: Instant, told: Told) -> None:
        self._books = books
        self._now = now
        self._told = told
        self._known_before = books.record_counts()
        self.report = report

    def journal(self, file: JournalFile, files: Sequence[RecordedFile]) -> None:
        """Put the lines of files into the journal, page by page."""
        stream = file.stream
        for path, page in _pages(files):
            observations: list[Observation] = []
            unreadable: list[Quarantined] = []
            for number, raw in page:
                try:
                    told = file.read(raw, read_remarks(raw))
                except UNREADABLE as error:
                    reason = f"{path.name}, line {number}: {error}"
                    unreadable.append(self._quarantined(stream, reason, raw))
                    continue
                seen_at = self._now if told.seen_at is None else told.seen_at
                observations.extend(
                    Observation(value, Source.RECORDING, seen_at, raw) for value in told.values
                )
            self._append(stream, observations, unreadable, _unknown(page[0][1], file.known))
            self._told(path.name, len(page))
        self.report.add(stream, Appended())

    def markets(self, files: Sequence[RecordedFile]) -> None:
        """Put statements about markets into the journal, and the markets into the catalog."""
        for path, page in _pages(files):
            found: list[tuple[Instant | None, RecordedMarket, bytes]] = []
            unreadable: list[Quarantined] = []
            for number, raw in page:
                try:
                    found.append((read_remarks(raw).observed_at, read_recorded_market(raw), raw))
                except UNREADABLE as error:
                    reason = f"{path.name}, line {number}: {error}"
                    unreadable.append(self._quarantined(Stream.MARKETS, reason, raw))
            self._append(
                Stream.MARKETS,
                [
                    Observation(market.stated, Source.RECORDING, seen_at or self._now, raw)
                    for seen_at, market, raw in found
                ],
                unreadable,
                _unknown(page[0][1], KNOWN_MARKET),
            )
            self._save_markets([(seen_at, market) for seen_at, market, _ in found])
            self._told(path.name, len(page))

    def _save_markets(self, found: Sequence[tuple[Instant | None, RecordedMarket]]) -> None:
        for seen_at, group in _by_time(found):
            listed = [each.market for each in group if each.market is not None]
            self._books.cache.save_markets(listed, fetched_at=seen_at or self._now)
            self._count("markets", len(listed))
            if seen_at is None:
                # A quote of unknown age would be taken for the present mark.
                continue
            newer = {
                ticker
                for ticker, aged in self._books.cache.quotes().items()
                if aged.fetched_at > seen_at
            }
            quotes = [each.quote for each in group if each.quote is not None]
            self._books.cache.save_quotes(
                [quote for quote in quotes if quote.ticker not in newer], fetched_at=seen_at
            )

    def describe(self, name: str, files: Sequence[RecordedFile]) -> None:
        """Put series, events or fee changes into the catalog; what is unreadable is noted."""
        read = CATALOG_READERS[name]
        for path, page in _pages(files):
            found: list[tuple[Instant | None, Series | Event | FeeChange]] = []
            for number, raw in page:
                try:
                    found.append((read_remarks(raw).observed_at, read(raw)))
                except UNREADABLE as error:
                    self.report.notes.append(f"{path.name}, line {number}: {error}")
            for seen_at, group in _by_time(found):
                self._save_described(group, seen_at or self._now)
            self._count(name, len(found))
            self._told(path.name, len(page))

    def _save_described(self, found: Sequence[Series | Event | FeeChange], at: Instant) -> None:
        books = self._books
        books.cache.save_series([one for one in found if isinstance(one, Series)], fetched_at=at)
        books.cache.save_events([one for one in found if isinstance(one, Event)], fetched_at=at)
        changes = [one for one in found if isinstance(one, FeeChange)]
        books.cache.save_fee_changes(changes, fetched_at=at)

    def cover(self, stream: Stream, spans: Sequence[Span]) -> None:
        """Store somebody's word that a stream is complete."""
        for span in spans:
            self._books.append(
                (),
                stream=stream,
                progress=Progress(
                    stream=stream,
                    subaccount=None,
                    shard=None,
                    # No tier of the exchange: it was not asked.
                    tier=Tier.STATED,
                    window_start=None,
                    window_end=span.until,
                    cursor="",
                    done=True,
                    at=self._now,
                    covers=(span.since, span.until),
                ),
            )
        self.report.covered[stream] = tuple(spans)

    def _append(
        self,
        stream: Stream,
        observations: Sequence[Observation],
        unreadable: Sequence[Quarantined],
        unknown_fields: Sequence[str],
    ) -> None:
        fresh = [each for each in observations if not self._is_in_journal(stream, each)]
        appended = self._books.append(
            fresh, stream=stream, quarantined=unreadable, unknown_fields=unknown_fields
        )
        repeated = Appended(seen=len(observations) - len(fresh))
        self.report.add(stream, appended + repeated)

    def _is_in_journal(self, stream: Stream, observation: Observation) -> bool:
        """Whether a statement of the moment was told in these very words before.

        The journal itself takes an earlier state told again for news.
        """
        kind = kind_of(stream)
        if kind.rule is not Rule.STATE or not self._known_before.get(stream):
            return False
        key = kind.key_of(kind.row_of(observation.value))
        known = self._books.evidence(stream, key)
        return any(each.raw == observation.raw for each in known)

    def _quarantined(self, stream: Stream, reason: str, raw: bytes) -> Quarantined:
        return Quarantined(stream, reason, Source.RECORDING, self._now, raw)

    def _count(self, name: str, records: int) -> None:
        self.report.described[name] = self.report.described.get(name, 0) + records


def _by_time(
    found: Sequence[tuple[Instant | None, T]],
) -> Iterator[tuple[Instant | None, list[T]]]:
    """Neighbours that were seen at the same time, together."""
    for seen_at, group in groupby(found, key=lambda each: each[0]):
        yield seen_at, [value for _, value in group]


def _unknown(raw: bytes, known: frozenset[str]) -> tuple[str, ...]:
    """The field names of a line that this version does not know."""
    return tuple(sorted(_as_object.decode(raw).keys() - known - EXTRA_FIELDS))


def covered_words(report: ImportReport) -> list[str]:
    """What is complete by somebody's word, a line for each stream."""
    return [
        f"{stream.value} complete as stated: {', '.join(_words(span) for span in spans)}"
        for stream, spans in report.covered.items()
    ]


def _words(span: Span) -> str:
    since = "the beginning" if span.since == BEGINNING else format_instant(span.since)
    return f"{since} … {format_instant(span.until)}"
