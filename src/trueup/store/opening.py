"""Opening a database: finding it, and being sure that it is the right one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from trueup.core.errors import BooksError
from trueup.store import sql
from trueup.store.driver import Driver
from trueup.store.sqlite import MEMORY, SqliteDriver, create_file
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION

_SQLITE_PREFIXES: Final = ("sqlite+pysqlite:///", "sqlite:///")


def open_driver(
    place: str,
    *,
    identity: Mapping[str, str],
    create: bool,
    read_only: bool,
    patience_seconds: int,
) -> Driver:
    """Open a database that holds books, or make them with `create`.

    `identity` (venue, mode, account) is written into new books.  Raises
    `BooksError`; a file that was made in vain is taken away again.
    """
    path = sqlite_path(place)
    made = None
    if path is not None and path != MEMORY and not Path(path).exists():
        if not create:
            raise BooksError(
                f"There are no books at {path}.",
                remedy="Check the path, or run `trueup init` to make new books.",
            )
        made = Path(path)
        create_file(made)
    try:
        driver = connect(place, read_only=read_only, patience_seconds=patience_seconds)
        try:
            _make_if_absent(driver, identity, create=create)
        except BaseException:
            driver.close()
            raise
    except BaseException:
        if made is not None:
            take_away(made)
        raise
    return driver


def connect(place: str, *, read_only: bool = False, patience_seconds: int = 10) -> Driver:
    """Open a database, whatever it holds."""
    path = sqlite_path(place)
    if path is not None:
        return SqliteDriver(path, read_only=read_only, patience_seconds=patience_seconds)
    if not place.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        scheme = place.partition("://")[0]
        raise BooksError(
            f"Books cannot be kept in a {scheme} database.",
            remedy="Use a path for SQLite, or a postgresql:// URL.",
        )
    # Imported here, as PostgreSQL is an extra.
    from trueup.store.postgres import PostgresDriver  # noqa: PLC0415

    return PostgresDriver(place, read_only=read_only, patience_seconds=patience_seconds)


def sqlite_path(place: str) -> str | None:
    """The path of an SQLite database, `:memory:`, or `None` for another kind of URL."""
    for prefix in _SQLITE_PREFIXES:
        if place.startswith(prefix):
            return place.removeprefix(prefix) or MEMORY
    if "://" in place:
        return None
    return place


def read_identity(driver: Driver) -> dict[str, str]:
    """What the books say they are: venue, mode, account and versions."""
    return dict(driver.rows(sql.META))


def check_identity(driver: Driver, wanted: Mapping[str, str]) -> None:
    """Refuse books of another account, or of another version of trueup."""
    found = read_identity(driver)
    differing = [name for name, value in wanted.items() if found.get(name) != value]
    if differing:
        theirs = ", ".join(f"{name} {found.get(name)!r}" for name in wanted)
        ours = ", ".join(f"{name} {value!r}" for name, value in wanted.items())
        raise BooksError(
            f"{driver.place} holds the books of {theirs}, not of {ours}.",
            remedy="Open the right database, or name the venue and account it belongs to.",
        )
    check_version(driver, found)


def check_version(driver: Driver, found: Mapping[str, str]) -> None:
    """Refuse books that an older or a newer trueup has written."""
    schema, projection = int(found["schema_version"]), int(found["projection_version"])
    if schema > SCHEMA_VERSION or projection > PROJECTION_VERSION:
        raise BooksError(
            f"{driver.place} was written by a newer trueup (version {schema}.{projection} of the "
            f"tables; this one knows {SCHEMA_VERSION}.{PROJECTION_VERSION}).",
            remedy="Install the newer trueup: pip install --upgrade trueup.",
        )
    if (schema, projection) != (SCHEMA_VERSION, PROJECTION_VERSION):
        raise BooksError(
            f"{driver.place} was written by an older trueup (version {schema}.{projection} of the "
            f"tables; this one needs {SCHEMA_VERSION}.{PROJECTION_VERSION}).",
            remedy="Run `trueup db backup`, then `trueup db upgrade`.",
        )


def _make_if_absent(driver: Driver, identity: Mapping[str, str], *, create: bool) -> None:
    tables = driver.tables()
    if "meta" in tables and "journal" in tables:
        return
    if tables and (driver.dialect == "sqlite" or tables & _CLASHING):
        listed = ", ".join(sorted(tables)[:6])
        raise BooksError(
            f"{driver.place} is not trueup's: it holds other tables ({listed}).",
            remedy="Give trueup a database of its own; a bot's database goes to --db.",
        )
    if not create:
        raise BooksError(
            f"{driver.place} holds no books yet.",
            remedy="Run `trueup init` to make new books.",
        )
    # Imported here: SQLAlchemy and Alembic are slow to load and rarely needed.
    from trueup.store.building import build  # noqa: PLC0415

    build(driver, venue=identity["venue"], mode=identity["mode"], account=identity["account"])


_CLASHING: Final = frozenset({"meta", "journal", "orders", "fills", "trades", "positions"})


def take_away(path: Path) -> None:
    """Remove a database file with what belongs to it."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with suppress(OSError):
            name.unlink()
