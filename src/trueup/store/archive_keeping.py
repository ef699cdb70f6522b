"""Keeping an archive small: one file a day, days added up, old ticks thrown away.

Nothing is thrown away before its day was added up, and a day that has not ended
is left alone.  Each step is safe to interrupt and to repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from trueup.store.archive import (
    Archive,
    Part,
    arrow,
    day_path,
    read_table,
    schema_of,
    table_of,
    write_table,
)
from trueup.store.archive_columns import COLUMNS, RAW, Kind
from trueup.store.archive_query import query

Told = Callable[[str, int], None]
"""Hears what is being done, and how many rows that were."""


def tell_nobody(words: str, rows: int) -> None:
    """A listener that does not care."""
    del words, rows


@dataclass(frozen=True, slots=True)
class Compacted:
    """One day of one kind in one file: what it took before and takes now, in bytes."""

    kind: Kind
    day: str
    rows: int
    before: int
    after: int


def compact(archive: Archive, *, today: str, told: Told = tell_nobody) -> list[Compacted]:
    """Make one file of each day before `today` that has several, one market after the other."""
    done: list[Compacted] = []
    for kind in archive.kinds():
        for day, parts in _by_day(archive.parts(kind)):
            if day >= today or (len(parts) == 1 and parts[0].is_compacted):
                continue
            compacted = _compact_day(archive, kind, day, parts)
            told(f"{kind.value} of {day}", compacted.rows)
            done.append(compacted)
    _sweep(archive, today)
    return done


def _compact_day(archive: Archive, kind: Kind, day: str, parts: list[Part]) -> Compacted:
    pa = arrow()
    table: Any = pa.concat_tables([read_table(part.path) for part in parts])
    # The sort is stable: each market keeps the order in which it was heard.
    table = table.sort_by("ticker")
    if kind in {Kind.TRADES, Kind.HISTORY}:
        table = _without_twins(table)
    replaces = [part.name for part in parts]
    path = day_path(archive.folder, kind, day)
    write_table(
        table.replace_schema_metadata(schema_of(kind, replaces).metadata), path, kind, packed=True
    )
    for part in parts:
        part.path.unlink(missing_ok=True)
    return Compacted(kind, day, len(table), sum(part.bytes for part in parts), path.stat().st_size)


def _without_twins(table: Any) -> Any:  # noqa: ANN401
    """Trades once each: a download and a recorder, or two recorders, hear the same ones."""
    pa, pc = arrow(), arrow("pyarrow.compute")
    numbered = table.append_column("_row", pa.array(range(len(table)), pa.int64()))
    first = numbered.group_by("trade_id").aggregate([("_row", "min")])["_row_min"]
    return table.take(first.take(pc.sort_indices(first)))


def _sweep(archive: Archive, today: str) -> None:
    """Take away what an interrupted compaction or write left behind."""
    for kind in archive.kinds():
        for path in (archive.folder / kind.value).glob("*/.*.new"):
            if path.parent.name < today:
                path.unlink(missing_ok=True)
        counted = {part.path for part in archive.parts(kind)}
        for path in (archive.folder / kind.value).glob("*/*.parquet"):
            if path not in counted:
                path.unlink(missing_ok=True)


def aggregate(archive: Archive, *, today: str, told: Told = tell_nobody) -> list[str]:
    """Add up every day before `today` that is not yet; returns the days."""
    known = {part.day for part in archive.parts(Kind.DAYS)}
    days = sorted({part.day for kind in RAW for part in archive.parts(kind)} - known)
    done: list[str] = []
    for day in days:
        if day >= today:
            continue
        rows = query(archive, _ADD_UP, since=day, until=day)
        columns = {
            column.name: [row[place] for row in rows.rows]
            for place, column in enumerate(COLUMNS[Kind.DAYS][1:])
        }
        columns["day"] = [day] * len(rows.rows)
        path = day_path(archive.folder, Kind.DAYS, day)
        write_table(table_of(Kind.DAYS, columns), path, Kind.DAYS, packed=True)
        told(f"days of {day}", len(rows.rows))
        done.append(day)
    return done


_ADD_UP: Final = """
WITH traded AS (
    SELECT ticker, arg_min(price, (occurred_at, row)) AS open, max(price) AS high, min(price) AS low,
           arg_max(price, (occurred_at, row)) AS close, sum(count)::BIGINT AS volume,
           count(*) AS trades, sum(count * price::BIGINT)::BIGINT AS dollar_volume
    FROM (SELECT *, row_number() OVER () AS row FROM
          (SELECT DISTINCT ON (trade_id) * FROM trades ORDER BY trade_id, heard_at))
    GROUP BY ticker
), told AS (
    SELECT ticker, count(*) AS tickers,
           (sum(ask - bid) // nullif(count(ask - bid), 0))::BIGINT AS spread_mean
    FROM tickers GROUP BY ticker
), changed AS (SELECT ticker, count(*) AS deltas FROM deltas GROUP BY ticker),
missed AS (SELECT ticker, count(*) AS gaps FROM gaps GROUP BY ticker),
named AS (
    SELECT ticker FROM traded UNION SELECT ticker FROM told UNION SELECT ticker FROM changed
    UNION SELECT ticker FROM missed UNION SELECT ticker FROM snapshots
)
SELECT ticker, open, high, low, close, coalesce(volume, 0), coalesce(trades, 0),
       coalesce(dollar_volume, 0), spread_mean, coalesce(tickers, 0), coalesce(deltas, 0),
       coalesce(gaps, 0)
FROM named LEFT JOIN traded USING (ticker) LEFT JOIN told USING (ticker)
LEFT JOIN changed USING (ticker) LEFT JOIN missed USING (ticker) ORDER BY ticker
"""


@dataclass(frozen=True, slots=True)
class Pruning:
    """What would be, or was, thrown away."""

    parts: tuple[Part, ...]
    waiting: tuple[str, ...]
    """Days that are old enough but not added up: they stay."""

    @property
    def bytes(self) -> int:
        """What that frees."""
        return sum(part.bytes for part in self.parts)


def old_parts(archive: Archive, *, today: str, keep_days: int) -> Pruning:
    """The raw files that are older than `keep_days` days and added up."""
    border = (date.fromisoformat(today) - timedelta(days=keep_days)).isoformat()
    added_up = {part.day for part in archive.parts(Kind.DAYS)}
    old = [
        part for kind in Kind if kind in RAW for part in archive.parts(kind) if part.day < border
    ]
    return Pruning(
        tuple(part for part in old if part.day in added_up),
        tuple(sorted({part.day for part in old} - added_up)),
    )


def prune(pruning: Pruning) -> None:
    """Throw the files away, and the folders that are empty then."""
    for part in pruning.parts:
        part.path.unlink(missing_ok=True)
        folder = part.path.parent
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _by_day(parts: list[Part]) -> Iterator[tuple[str, list[Part]]]:
    days: dict[str, list[Part]] = {}
    for part in parts:
        days.setdefault(part.day, []).append(part)
    yield from days.items()
