"""The market archive: Parquet files by kind and day, which a kill cannot make unreadable.

    FOLDER/deltas/2026-10-06/…-part.parquet      one file a flush
    FOLDER/deltas/2026-10-06/…-day.parquet       one file a day, after `compact`

A file is written under another name, made durable and only then given its own:
what can be seen is whole.  A compacted file names in its metadata the parts that
it replaces, and readers pass those by; so it does not matter where a compaction
is interrupted.  Rows of a market stay in the order in which they were heard.

Ticks never enter the journal: the archive is beside the books, and may be lost.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant, utc_day
from trueup.store.archive_columns import COLUMNS, Column, Kind

REPLACES: Final = b"trueup.replaces"
KIND: Final = b"trueup.kind"
_PART: Final = "-part.parquet"
_DAY: Final = "-day.parquet"
_ROW_GROUP: Final = 1 << 20
_LEVEL: Final = 9
_BATCH: Final = 1 << 16

Columns = Mapping[str, Sequence[object]]
"""Column name → its values, all of one length."""


def arrow(name: str = "pyarrow") -> Any:  # noqa: ANN401  # the library has no types
    """A module of the library that reads and writes Parquet.  Raises `ConfigError`."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"the archive needs {name.partition('.')[0]}, which is not installed",
            remedy="Install it: pip install 'trueup[archive]'",
        ) from error


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One file of the archive."""

    day: str
    name: str
    kind: Kind
    path: Path
    bytes: int

    @property
    def is_compacted(self) -> bool:
        """Whether it is the file of a whole day."""
        return self.name.endswith(_DAY)

    def rows(self) -> int:
        """How many rows it has, by its footer."""
        return int(arrow("pyarrow.parquet").read_metadata(self.path).num_rows)


class Archive:
    """The files below one folder.  Several may read while one process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replaced: dict[Path, frozenset[str]] = {}

    # -- writing ---------------------------------------------------------------------------

    def append(self, kind: Kind, columns: Columns, *, at: Instant, writer: str) -> int:
        """Write rows that were heard by `at` as one durable file of that day.

        `writer` makes the file's name unique among several recorders.  Returns the
        rows.  Raises `ConfigError` where the folder cannot be written.
        """
        count = len(next(iter(columns.values()), ()))
        if not count:
            return 0
        table = table_of(kind, columns)
        # A name is never used twice, also not by a flush within the same microsecond.
        place = self.folder / kind.value / utc_day(at)
        number = 0
        while (path := place / f"{at:020d}-{number:03d}-{writer}{_PART}").exists():
            number += 1
        write_table(table, path, kind, packed=False)
        return count

    # -- looking ---------------------------------------------------------------------------

    def kinds(self) -> list[Kind]:
        """The kinds that have files."""
        return [kind for kind in Kind if any((self.folder / kind.value).glob("*/*.parquet"))]

    def parts(self, kind: Kind, *, since: str = "", until: str = "") -> list[Part]:
        """The files of a kind that count, oldest first; days as ``2026-10-06``, both included."""
        found: list[Part] = []
        for folder in sorted((self.folder / kind.value).glob("*")):
            day = folder.name
            if not folder.is_dir() or (since and day < since) or (until and day > until):
                continue
            files = sorted(folder.glob("*.parquet"))
            replaced = {
                name for path in files if path.name.endswith(_DAY) for name in self._replaces(path)
            }
            for path in files:
                if path.name not in replaced:
                    with suppress(FileNotFoundError):
                        found.append(Part(day, path.name, kind, path, path.stat().st_size))
        return sorted(found)

    def _replaces(self, path: Path) -> frozenset[str]:
        known = self._replaced.get(path)
        if known is None:
            metadata = cast(
                "dict[bytes, bytes]", arrow("pyarrow.parquet").read_schema(path).metadata or {}
            )
            known = frozenset(cast("list[str]", json.loads(metadata.get(REPLACES, b"[]"))))
            self._replaced[path] = known
        return known

    # -- reading ---------------------------------------------------------------------------

    def table(
        self, kind: Kind, *, since: str = "", until: str = "", tickers: Sequence[str] = ()
    ) -> Any:  # noqa: ANN401  # the library has no types
        """Everything of a kind as one Arrow table, in the order in which it was heard."""
        pa = arrow()
        tables = [
            read_table(part.path, tickers) for part in self.parts(kind, since=since, until=until)
        ]
        return pa.concat_tables(tables) if tables else schema_of(kind).empty_table()

    def rows(
        self, kind: Kind, *, since: str = "", until: str = "", tickers: Sequence[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """The rows of a kind, some files at a time, in the order in which they were heard.

        A compacted day has one market after the other; sort by `heard_at` where
        that matters.
        """
        for part in self.parts(kind, since=since, until=until):
            for batch in read_table(part.path, tickers).to_batches(max_chunksize=_BATCH):
                yield from cast("list[dict[str, Any]]", batch.to_pylist())


# -- one file ----------------------------------------------------------------------------------


def schema_of(kind: Kind, replaces: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """The Arrow schema of a kind, with the units in its metadata."""
    pa = arrow()
    fields = [
        pa.field(
            each.name,
            _type(pa, each),
            nullable=each.is_optional,
            metadata={b"unit": each.unit.encode(), b"what": each.words.encode()},
        )
        for each in COLUMNS[kind]
    ]
    metadata = {KIND: kind.value.encode()}
    if replaces:
        metadata[REPLACES] = json.dumps(list(replaces)).encode()
    return pa.schema(fields, metadata=metadata)


def _type(pa: Any, column: Column) -> Any:  # noqa: ANN401
    if column.type.startswith("list<"):
        return pa.list_(pa.type_for_alias(column.type[5:-1]))
    return pa.type_for_alias(column.type)


def table_of(kind: Kind, columns: Columns) -> Any:  # noqa: ANN401
    """Columns as an Arrow table of a kind; a value that does not fit raises `ConfigError`."""
    pa = arrow()
    schema = schema_of(kind)
    try:
        arrays = [
            pa.array(columns[each.name], type=schema.field(each.name).type)
            for each in COLUMNS[kind]
        ]
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise ConfigError(f"rows of {kind.value} do not fit the archive: {error}") from error
    return pa.table(arrays, schema=schema)


def write_table(table: Any, path: Path, kind: Kind, *, packed: bool) -> None:  # noqa: ANN401
    """Write a table durably: under another name first, so that no half file is ever seen."""
    columns = COLUMNS[kind]
    nested = {each.name for each in columns if each.type.startswith("list<")}
    delta = {each.name for each in columns if each.is_delta_packed}
    dictionary = [each.name for each in columns if each.name not in delta | nested]
    part = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            arrow("pyarrow.parquet").write_table(
                table,
                file,
                compression="zstd",
                compression_level=_LEVEL if packed else 3,
                use_dictionary=[name for name in dictionary if name != "trade_id"],
                column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
                row_group_size=_ROW_GROUP,
            )
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="Free some space, or name a folder that you may write to.",
        ) from error


def read_table(path: Path, tickers: Sequence[str] = ()) -> Any:  # noqa: ANN401
    """One file, or only the rows of some markets.  Raises `ConfigError` naming the file."""
    if not path.exists():
        raise ConfigError(f"There is no file {path}.", remedy="Check the path.")
    wanted = [("ticker", "in", list(tickers))] if tickers else None
    try:
        return arrow("pyarrow.parquet").read_table(path, filters=wanted, partitioning=None)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}",
            remedy="Move the file away; the rest of the archive is not touched by it.",
        ) from error


def day_path(folder: Path, kind: Kind, day: str) -> Path:
    """Where a compacted day stands.  Compacted again, it takes the next number."""
    place, number = folder / kind.value / day, 0
    while (path := place / f"{number:020d}{_DAY}").exists():
        number += 1
    return path


def _sync_folder(folder: Path) -> None:
    """Make a renaming durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
