"""Care of the books' database: upgrade, rebuild, backup, restore, move."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trueup.core.errors import ConfigError
from trueup.run.books.booking import book_new
from trueup.run.books.rereading import reread_quarantined
from trueup.run.desk import Desk
from trueup.store import maintenance
from trueup.store.maintenance import Copied, Identity
from trueup.store.opening import sqlite_path


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done, in words, and the tables that were copied with their rows."""

    words: str
    tables: Sequence[tuple[str, int]] = ()


def upgrade(desk: Desk) -> Kept:
    """Bring books of an older version to this one."""
    done = maintenance.upgrade(desk.database, **_identity(desk))
    if done.before == done.after:
        return Kept(f"{desk.database} is of this version ({done.after}) already.")
    reread, _ = _book(desk)
    words = f"{desk.database} was upgraded from version {done.before} to {done.after}."
    return Kept(words + _reread_words(reread))


def rebuild(desk: Desk) -> Kept:
    """Drop every projection and make it again from the journal."""
    read = maintenance.rebuild(desk.database, **_identity(desk))
    reread, markets = _book(desk)
    words = f"Read {read:,} records of the journal and booked {markets:,} markets again."
    return Kept(words + _reread_words(reread))


def backup(desk: Desk, target: str) -> Kept:
    """Copy the books to a new SQLite file while others may go on writing."""
    return _copied("Backed up", maintenance.backup(desk.database, Path(target), **_identity(desk)))


def restore(desk: Desk, source: str, *, write: bool) -> Kept:
    """Put a backup in the place of the books; a dry run unless `write`."""
    if not write:
        if not Path(source).exists():
            raise ConfigError(f"There is no backup at {source}.", remedy="Check the path.")
        return Kept(
            f"Would put {source} in the place of {desk.database} and keep the present books "
            "beside it. Nothing was changed; add --write to do it."
        )
    with _damaged_put_aside(desk.database) as damaged:
        done = maintenance.restore(Path(source), desk.database, **_identity(desk))
    aside = done.kept or damaged
    kept = f" The books that were there are at {aside}." if aside else ""
    copied = _copied("Restored", done)
    return Kept(copied.words + kept, copied.tables)


@contextmanager
def _damaged_put_aside(place: str) -> Generator[str]:
    """Rename a file that is no database any more; back again when the work fails."""
    path = sqlite_path(place)
    if path is None or not _is_damaged(Path(path)):
        yield ""
        return
    number = 1
    while Path(f"{path}.damaged-{number}").exists():
        number += 1
    aside = f"{path}.damaged-{number}"
    moved = [end for end in ("", "-wal", "-shm") if Path(path + end).exists()]
    for end in moved:
        Path(path + end).rename(aside + end)
    try:
        yield aside
    except BaseException:
        for end in moved:
            Path(aside + end).replace(path + end)
        raise


def _is_damaged(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            return file.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def move(desk: Desk, target: str) -> Kept:
    """Copy the books to another database and prove the copy by row counts and hashes."""
    done = maintenance.move(desk.database, target, **_identity(desk))
    copied = _copied("Moved", done)
    return Kept(
        f"{copied.words} Counts and hashes of all tables agree. The old books stay as they are; "
        f'set database = "…" in config.toml (or TRUEUP_DATABASE) to use the new ones.',
        copied.tables,
    )


def _copied(verb: str, done: Copied) -> Kept:
    words = f"{verb} {done.rows:,} rows from {done.source} to {done.target}."
    return Kept(words, [(table.name, table.rows) for table in done.tables])


def _book(desk: Desk) -> tuple[int, int]:
    """Book everything; how many records left the quarantine, and how many markets were booked."""
    settings = desk.settings
    with desk.books(create=False) as books:
        reread = reread_quarantined(books)
        booked = book_new(books, precision=settings.precision, config=settings.config)
        return reread, booked.markets


def _reread_words(reread: int) -> str:
    if not reread:
        return ""
    return f" {reread:,} {'record' if reread == 1 else 'records'} could be read at last."


def _identity(desk: Desk) -> Identity:
    settings = desk.settings
    return Identity(venue=settings.venue.value, mode=settings.mode, account=settings.config.account)
