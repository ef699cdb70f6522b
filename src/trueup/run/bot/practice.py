"""Where a bot has practised, and on how many days its books closed: what `trueup arm` shows.

Two things tell: the log of proofs that a bot's books leave behind, and the databases of
books that exist (their snapshots, and the breaks that were open meanwhile).  A day is
clean when it has a proof and none that did not close.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import BooksError, TrueupError, writing_remedy
from trueup.core.instant import DAY, Instant, parse_instant, utc_day
from trueup.ledger.breaks import Severity
from trueup.run.books.once import Standing
from trueup.run.desk import MODE, PAPER, PAPER_SUFFIX, DeskSettings
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.store.database import open_books

PLACES: Final = (("sandbox", MODE), ("sandbox", PAPER), ("prod", PAPER), ("demo", MODE))
"""Where one practises, as (venue, mode)."""


@dataclass(slots=True)
class Practice:
    """The days of one venue and mode: those with a proof, and those that were not clean."""

    venue: str
    mode: str
    days: set[str] = field(default_factory=set[str])
    unclean: set[str] = field(default_factory=set[str])
    notes: list[str] = field(default_factory=list[str])

    @property
    def clean(self) -> int:
        """How many days had proofs, and only ones that closed."""
        return len(self.days - self.unclean)

    @property
    def words(self) -> str:
        """The line of `trueup arm`."""
        name = self.venue if self.mode == MODE else f"{self.venue} ({self.mode})"
        if not self.days:
            return f"{name}: never"
        return f"{name}: {len(self.days)} days with proofs, {self.clean} of them clean"


def proofs_path(settings: DeskSettings) -> Path:
    """The log of proofs of an account: one JSON object a line."""
    config = settings.config
    return settings.home / f"proofs-{config.venue}-{settings.mode}-{config.account}.jsonl"


def note_proof(path: Path, standing: Standing) -> None:
    """Add a standing to the log of proofs; one that says nothing is left out.

    Raises `BooksError` where the file cannot be written.
    """
    if standing.trouble:
        return
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(standing) + b"\n")
    except OSError as error:
        raise BooksError(
            f"the log of proofs {path} cannot be written: {error.strerror}",
            remedy=writing_remedy(error),
        ) from error


def practices(home: Path, account: str) -> list[Practice]:
    """What an account has practised in this home, place by place."""
    return [_practice(home, account, venue, mode) for venue, mode in PLACES]


def _practice(home: Path, account: str, venue: str, mode: str) -> Practice:
    found = Practice(venue, mode)
    if mode == PAPER:
        account += PAPER_SUFFIX
    log = home / f"proofs-{venue}-{mode}-{account}.jsonl"
    for standing in _standings(log):
        day = utc_day(parse_instant(standing.at))
        found.days.add(day)
        if not standing.closes:
            found.unclean.add(day)
    books = home / "books" / f"{venue}-{mode}-{account}.db"
    if books.exists():
        try:
            _look_into(books, found, account)
        except TrueupError as error:
            found.notes.append(f"{books.name} cannot be read: {error}")
    return found


def _standings(log: Path) -> Iterator[Standing]:
    try:
        lines = log.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            standing = msgspec.json.decode(line, type=Standing)
        except msgspec.MsgspecError:
            # A crash may leave half a line.
            continue
        if standing.at:
            yield standing


def _look_into(books: Path, found: Practice, account: str) -> None:
    opened = open_books(books, venue=found.venue, mode=found.mode, account=account, read_only=True)
    try:
        found.days |= {utc_day(each.at) for each in opened.snapshots()}
        for each in opened.breaks():
            if _counts(each):
                found.unclean |= set(_days(each.first_seen, each.last_seen))
    finally:
        opened.close()


def _counts(found: AgedBreak) -> bool:
    return found.found.severity is not Severity.GREEN and found.status is not BreakStatus.CLOSED


def _days(begin: Instant, end: Instant) -> Iterator[str]:
    at = begin
    while at < end:
        yield utc_day(at)
        at = Instant(at + DAY)
    yield utc_day(end)
