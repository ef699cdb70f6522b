"""Asking an archive in SQL: every kind is a table, read by DuckDB where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from trueup.core.errors import CallerError
from trueup.store.archive import Archive, arrow, schema_of
from trueup.store.archive_columns import Kind


@dataclass(frozen=True, slots=True)
class Answer:
    """The columns and the rows of an answer."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def query(
    archive: Archive, sql: str, *, since: str = "", until: str = "", rows_max: int | None = None
) -> Answer:
    """Ask in SQL.  Tables are the kinds; it can read this archive and nothing else.

    Raises `CallerError` with the database's words for a question that it refuses.
    """
    duckdb = arrow("duckdb")
    connection: Any = duckdb.connect(":memory:")
    try:
        for kind in Kind:
            _show(connection, archive, kind, since=since, until=until)
        # The views stand; whoever asks shall not write, nor read other files.
        folder = str(archive.folder).replace("'", "''")
        connection.execute(f"SET allowed_directories = ['{folder}/']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        _check_asks_only(duckdb, connection, sql)
        answer = connection.execute(sql)
        if answer.description is None:
            return Answer((), [])
        columns = tuple(str(each[0]) for each in answer.description)
        rows = answer.fetchall() if rows_max is None else answer.fetchmany(rows_max)
        return Answer(columns, cast("list[tuple[Any, ...]]", rows))
    except duckdb.Error as error:
        raise CallerError(
            f"the archive cannot answer that: {error}",
            remedy=f"Tables are {', '.join(Kind)}; `trueup archive show TABLE` lists columns.",
        ) from error
    finally:
        connection.close()


def _check_asks_only(duckdb: Any, connection: Any, sql: str) -> None:  # noqa: ANN401
    """Refuse what would write: the archive's own folder is open, for reading."""
    asking = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if not all(each.type in asking for each in connection.extract_statements(sql)):
        raise CallerError(
            "only questions can be put to the archive", remedy="Begin with SELECT or WITH."
        )


def _show(connection: Any, archive: Archive, kind: Kind, *, since: str, until: str) -> None:  # noqa: ANN401
    paths = [str(part.path) for part in archive.parts(kind, since=since, until=until)]
    if not paths:
        connection.register(kind.value, schema_of(kind).empty_table())
        return
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute(f"CREATE VIEW {kind.value} AS SELECT * FROM read_parquet([{listed}])")  # noqa: S608
