"""Making the tables: migrations for what is durable, plain creation for the rest.

Alembic runs from the installed package; no file of settings is needed.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, create_engine, create_mock_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from trueup.core.errors import BooksError
from trueup.store.driver import Driver
from trueup.store.schema import DURABLE
from trueup.store.schema_projections import PROJECTED
from trueup.store.sqlite import SqliteDriver
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION
from trueup.store.views import create_views, drop_views

OWN_TABLES: Final = frozenset({*DURABLE.tables, *PROJECTED.tables, "alembic_version"})
_HERE: Final = Path(__file__).parent / "migrations"


def build(driver: Driver, *, venue: str, mode: str, account: str) -> None:
    """Make all tables of new books, in one transaction.

    Raises `BooksError` where tables of others would be in the way.
    """
    with connected(driver) as connection:
        _migrate(connection, "head")
        for text in [*creation(PROJECTED, driver.dialect), *create_views(driver.dialect)]:
            connection.exec_driver_sql(text)
        rows = {
            "schema_version": str(SCHEMA_VERSION),
            "projection_version": str(PROJECTION_VERSION),
            "venue": venue,
            "mode": mode,
            "account": account,
            "indexed_to": "0",
        }
        meta = DURABLE.tables["meta"]
        connection.execute(
            meta.insert(), [{"name": name, "value": value} for name, value in rows.items()]
        )


def migrate(driver: Driver, revision: str = "head") -> None:
    """Bring the durable tables to a version, in one transaction.

    The views and projections are dropped: the caller makes them again (`remake`).
    """
    with connected(driver) as connection:
        for text in [*drop_views(), *dropping(driver.dialect)]:
            connection.exec_driver_sql(text)
        _migrate(connection, revision)
        connection.exec_driver_sql(
            f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE name = 'schema_version'"  # noqa: S608
        )
        connection.exec_driver_sql("UPDATE meta SET value = '0' WHERE name = 'projection_version'")


def remake(dialect: str) -> list[str]:
    """The statements that drop all projections and views and make empty ones."""
    return [
        *drop_views(),
        *dropping(dialect),
        *creation(PROJECTED, dialect),
        *create_views(dialect),
    ]


def dropping(dialect: str) -> list[str]:
    """The statements that drop all projections that are there."""
    del dialect  # both databases say it alike
    return [f"DROP TABLE IF EXISTS {name}" for name in PROJECTED.tables]


def creation(metadata: MetaData, dialect: str) -> list[str]:
    """The statements that make the tables of a description, with their comments."""
    statements: list[str] = []
    url = "sqlite://" if dialect == "sqlite" else "postgresql+psycopg://"

    def keep(statement: Any, *_: object, **__: object) -> None:  # noqa: ANN401  # SQLAlchemy's own
        statements.append(str(statement.compile(dialect=engine.dialect)).strip())

    engine = create_mock_engine(url, keep)
    metadata.create_all(engine, checkfirst=False)
    return statements


@contextmanager
def connected(driver: Driver) -> Generator[Connection, None, None]:
    """SQLAlchemy's view of an open database, in one transaction.

    SQLite's own connection is shared, so that it works in memory too.
    """
    if isinstance(driver, SqliteDriver):
        engine = create_engine("sqlite://", creator=lambda: driver.connection, poolclass=StaticPool)
        # The driver's connection is in autocommit mode: say BEGIN ourselves.
        event.listen(engine, "begin", _begin)
    else:
        # Imported here, as PostgreSQL is an extra.
        from trueup.store.postgres import PostgresDriver  # noqa: PLC0415

        if not isinstance(driver, PostgresDriver):
            raise BooksError(f"{driver.place} cannot be migrated")
        url = driver.url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(url, poolclass=NullPool)
    with driver.explained():
        try:
            with engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise (error.orig or error) from error


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
