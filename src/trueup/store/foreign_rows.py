"""The rows of a bot's table: finding the table, telling its rows apart, reading them exactly.

Columns are selected without their declared types, so that every value comes as
the driver found it: a declared type is a wish that SQLite does not enforce, and
SQLAlchemy's conversions go through rounded text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast

from sqlalchemy import ColumnClause, Connection, TableClause, column, select, table
from sqlalchemy import inspect as inspect_database
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.types import Integer, TypeEngine

from trueup.core.errors import ForeignDatabaseError, NotANumber
from trueup.core.ids import Ticker
from trueup.ledger.foreign import ForeignTrade
from trueup.store.foreign_connection import ForeignConnection
from trueup.store.foreign_table import ForeignTable, Layout, TableColumn, Unit, map_columns
from trueup.store.foreign_units import AMOUNTS, settle_units
from trueup.store.foreign_values import (
    Raw,
    is_missing,
    raw_text,
    read_instant,
    read_number,
    read_side,
)

_ROWS_AT_A_TIME: Final = 2_000
_LISTED: Final = 8
_WORDS_LOOKED_AT: Final = 100
_ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands: its identity for people, its key, its values by our words."""

    row_id: str
    key: tuple[Raw, ...]
    values: Mapping[str, Raw]


# -- finding the table ----------------------------------------------------------------------------


def find_layout(place: ForeignConnection, wanted: ForeignTable) -> Layout:
    """Where everything is.  Raises `ForeignDatabaseError` naming what is missing or in doubt."""
    with place.reading() as connection:
        inspector = inspect_database(connection)
        name, schema = _find_table(inspector, wanted.name, place=place)
        there = column_types(inspector, name, schema)
        candidates = map_columns(wanted, there, place=place.place)
        key, is_rowid = _find_key(
            inspector, candidates.get("id", ()), (name, schema), there=there, dialect=place.dialect
        )
        plain = {word: columns[0] for word, columns in candidates.items()}
        layout = Layout(name=name, schema=schema, columns=plain, key=key, is_rowid=is_rowid)
        if "side" in candidates:
            side = _telling_side(connection, layout, candidates["side"])
            layout = replace(layout, columns={**plain, "side": side})
        return _with_units(connection, layout)


def find_again(
    connection: Connection, name: str, schema: str | None, *, place: ForeignConnection
) -> Mapping[str, TypeEngine[Any]]:
    """The columns of a table that is known by its full name."""
    inspector = inspect_database(connection)
    if name not in inspector.get_table_names(schema):
        raise _no_table(inspector, name, place=place)
    return column_types(inspector, name, schema)


def column_types(inspector: Inspector, name: str, schema: str | None) -> dict[str, TypeEngine[Any]]:
    """The declared type of each column, in the table's order."""
    return {each["name"]: each["type"] for each in inspector.get_columns(name, schema)}


def _find_table(
    inspector: Inspector, wanted: str, *, place: ForeignConnection
) -> tuple[str, str | None]:
    names = inspector.get_table_names()
    by_name = {name.lower(): name for name in names}
    if wanted in names or wanted.lower() in by_name:
        return (wanted if wanted in names else by_name[wanted.lower()]), None
    schema, dot, rest = wanted.rpartition(".")
    if dot and schema in inspector.get_schema_names() and rest in inspector.get_table_names(schema):
        return rest, schema
    views = {view.lower() for view in inspector.get_view_names()}
    if wanted.lower() in views:
        raise ForeignDatabaseError(
            f"{wanted!r} of {place.place} is a view, which cannot be patched row by row.",
            remedy="Name the table behind it in config.toml: [bot_database] table = …",
        )
    raise _no_table(inspector, wanted, place=place)


def _no_table(
    inspector: Inspector, wanted: str, *, place: ForeignConnection
) -> ForeignDatabaseError:
    names = sorted(inspector.get_table_names())
    if not names:
        return ForeignDatabaseError(
            f"{place.place} holds no tables at all.",
            remedy="Check that this is the bot's database: is it perhaps empty or another file?",
        )
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ForeignDatabaseError(
        f"{place.place} has no table {wanted!r}; its tables: {', '.join(names[:_LISTED])}{more}.",
        remedy="Name the table of trades in config.toml: [bot_database] table = …",
    )


def _find_key(
    inspector: Inspector,
    named: tuple[TableColumn, ...],
    found: tuple[str, str | None],
    *,
    there: Mapping[str, TypeEngine[Any]],
    dialect: str,
) -> tuple[tuple[TableColumn, ...], bool]:
    """The columns that identify a row; and whether that is SQLite's own row number."""
    if named:
        return named, False
    by_name = {name.lower(): name for name in there}
    primary = inspector.get_pk_constraint(*found)["constrained_columns"]
    if primary:
        return tuple(TableColumn(name=name, type=there[name]) for name in primary), False
    if dialect == "sqlite":
        rowid = next(name for name in _ROWID_NAMES if name not in by_name)
        return (TableColumn(name=rowid, type=Integer()),), True
    if "id" in by_name:
        # Not declared unique; reading makes sure that it is.
        name = by_name["id"]
        return (TableColumn(name=name, type=there[name]),), False
    raise ForeignDatabaseError(
        f"the table {found[0]!r} has no primary key: its rows cannot be told apart.",
        remedy="Name a column that is unique in config.toml: [bot_database.columns] id = …",
    )


def _telling_side(
    connection: Connection, layout: Layout, candidates: Sequence[TableColumn]
) -> TableColumn:
    """Of several columns that may hold the side, the first that says yes or no."""
    if len(candidates) == 1:
        return candidates[0]
    for each in candidates:
        side: ColumnClause[Any] = column(each.name)
        query = select(side).select_from(as_clause(layout)).distinct().limit(_WORDS_LOOKED_AT)
        if any(attempt(read_side, raw)[0] for raw in connection.execute(query).scalars()):
            return each
    return candidates[0]


def _with_units(connection: Connection, layout: Layout) -> Layout:
    """The layout with the unit of every column of amounts."""
    doubtful = {
        word: layout.columns[word]
        for word in AMOUNTS
        if word in layout.columns and layout.columns[word].unit is None
    }
    rows = scan(connection, replace(layout, columns=doubtful)) if doubtful else iter(())
    units = settle_units(layout.columns, (row.values for row in rows), table=layout.name)
    columns = {
        word: replace(each, unit=units.get(word)) if word in AMOUNTS else each
        for word, each in layout.columns.items()
    }
    return replace(layout, columns=columns)


# -- reading --------------------------------------------------------------------------------------


def as_clause(layout: Layout) -> TableClause:
    """The table for a query, with its columns untyped."""
    names = dict.fromkeys(each.name for each in (*layout.key, *layout.columns.values()))
    columns: list[ColumnClause[Any]] = [column(name) for name in names]
    return table(layout.name, *columns, schema=layout.schema)


def scan(connection: Connection, layout: Layout) -> Iterator[RawRow]:
    """Every row in the order of its key, a few at a time."""
    clause = as_clause(layout)
    words = list(layout.columns)
    keys = [clause.c[each.name] for each in layout.key]
    values = [clause.c[layout.columns[word].name] for word in words]
    # Labels, as one column may serve two purposes.
    labelled = [each.label(f"c{number}") for number, each in enumerate((*keys, *values))]
    query = select(*labelled).order_by(*keys).execution_options(yield_per=_ROWS_AT_A_TIME)
    width = len(keys)
    for row in connection.execute(query):
        key = tuple(row[:width])
        yield RawRow(
            row_id_of(layout, key), key, dict(zip(words, map(_plain, row[width:]), strict=True))
        )


def scan_distinct(
    connection: Connection, layout: Layout, *, place: ForeignConnection
) -> Iterator[RawRow]:
    """As `scan`; raises `ForeignDatabaseError` when two rows cannot be told apart."""
    seen: set[str] = set()
    for row in scan(connection, layout):
        if row.row_id in seen or any(part is None for part in row.key):
            names = ", ".join(each.name for each in layout.key)
            what = "is NULL in a row" if None in row.key else f"repeats {row.row_id!r}"
            raise ForeignDatabaseError(
                f"the key ({names}) of {layout.name!r} in {place.place} {what}: "
                "its rows cannot be told apart.",
                remedy="Correct those rows, or name a column that is unique: "
                "[bot_database.columns] id = …",
            )
        seen.add(row.row_id)
        yield row


def row_id_of(layout: Layout, key: Sequence[Raw]) -> str:
    """A key for people."""
    if layout.is_rowid:
        return f"rowid {key[0]}"
    if len(key) == 1:
        return raw_text(key[0])
    return json.dumps([part if isinstance(part, int) else raw_text(part) for part in key])


def _plain(raw: Raw) -> Raw:
    return bytes(cast("memoryview[int]", raw)) if isinstance(raw, memoryview) else raw


def read_trade(row: RawRow, layout: Layout) -> ForeignTrade:
    """One row as a value; what cannot be read is kept as text."""
    unreadable: dict[str, str] = {}

    def read(word: str, reader: Callable[[Raw], Read | None]) -> Read | None:
        value, text = attempt(reader, row.values.get(word))
        if text is not None:
            unreadable[word] = text
        return value

    def dollars(word: str) -> Any:  # noqa: ANN401  # a ratio or nothing
        value = read(word, read_number)
        in_cents = word in layout.columns and layout.columns[word].unit is Unit.CENTS
        return value / 100 if in_cents and value is not None else value

    def instant(word: str) -> Any:  # noqa: ANN401  # an instant or nothing
        if word not in layout.columns:
            return None
        zone = layout.columns[word].zone
        return read(word, lambda raw: read_instant(raw, zone))

    settled = dollars("settled_price")
    return ForeignTrade(
        row_id=row.row_id,
        ticker=Ticker(_word(row.values["ticker"])),
        status=_word(row.values["status"]),
        settled_price=None if settled is None else settled * 100,
        profit_loss=dollars("profit_loss"),
        side=read("side", read_side),
        quantity=read("quantity", read_number),
        entry_price=dollars("entry_price"),
        exit_price=dollars("exit_price"),
        fees=dollars("fees"),
        opened_at=instant("opened_at"),
        closed_at=instant("closed_at"),
        unreadable=unreadable,
        names_price="settled_price" in layout.columns,
    )


def attempt(reader: Callable[[Raw], Read | None], raw: Raw) -> tuple[Read | None, str | None]:
    """What a reader makes of a value; or the value's text where it cannot be read."""
    try:
        return reader(raw), None
    except NotANumber:
        return None, raw_text(raw)


def _word(raw: Raw) -> str:
    return "" if is_missing(raw) else raw_text(raw).strip()
