"""What a command prints: a page for a person, or one JSON object for a program.

A command fills a `payload` and describes how a person should see it; with
`--json` only the payload appears on standard output.  Every output leads with
the venue and the account.  Notices go to standard error, so that they never
mix with data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from trueup.cli.tables import laid_out
from trueup.core.instant import Instant, format_age, format_instant
from trueup.core.units import Count, Money, Price, Ratio, rounded_text

_PLAIN_WIDTH: Final = 150
"""How wide tables may grow where the output is no terminal (a file, a pipe)."""

_EXACT_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z\Z")
"""A time finer than a person reads; programs get all of it."""

DASH: Final = "–"
"""What an unknown value looks like.  Never 0."""

_VENUE_STYLE: Final = {
    "sandbox": "black on cyan",
    "demo": "black on yellow",
    "prod": "white on red",
}

_VENUE_WORDS: Final = {
    "sandbox": "SANDBOX, no real money",
    "demo": "DEMO, no real money",
    "prod": "PRODUCTION",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose figures these are, and how old they are."""

    venue: str
    account: str
    as_of: Instant | None
    now: Instant
    world: str = ""
    """Which of the sandbox's worlds, and by which clock; empty elsewhere."""

    def words(self) -> str:
        """The heading as one line of text."""
        words = _venue_and_account(self.venue, self.account, self.world)
        if self.as_of is None:
            return words + " · nothing fetched yet"
        age = format_age(self.now - self.as_of)
        return f"{words} · as of {format_instant(_whole_second(self.as_of))} ({age} ago)"


def _venue_and_account(venue: str, account: str, world: str) -> str:
    words = f"{_VENUE_WORDS.get(venue, venue)} · account {account}"
    return f"{words} · {world}" if world else words


@dataclass(frozen=True, slots=True)
class Column:
    """Which field of a row a table shows, under which title; figures stand right."""

    key: str
    title: str
    is_figure: bool = False


class Output:
    """Prints pages or JSON.  One object for one command."""

    def __init__(self, *, as_json: bool, verbose: bool) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.console = Console(highlight=False, soft_wrap=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=_PLAIN_WIDTH)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._heading: dict[str, Any] = {}

    def heading(self, heading: Heading) -> None:
        """Lead with the venue and the account."""
        self._heading = {
            "venue": heading.venue,
            "account": heading.account,
            "as_of": None if heading.as_of is None else format_instant(heading.as_of),
        }
        if not self.as_json:
            style = _VENUE_STYLE.get(heading.venue, "")
            self.console.print(Text(f" {heading.words()} ", style=style))

    def lead(self, venue: str, account: str, *, world: str = "", aside: bool = False) -> None:
        """Lead with the venue and the account where the age of the books does not matter."""
        self._heading = {"venue": venue, "account": account}
        if not self.as_json:
            words = f" {_venue_and_account(venue, account, world)} "
            console = self.errors if aside else self.console
            console.print(Text(words, style=_VENUE_STYLE.get(venue, "")))

    def say(self, text: str = "", *, style: str = "") -> None:
        """A line for a person; silent with `--json`."""
        if not self.as_json:
            # A file's lines are not broken: who searches them, or copies a command, wants them whole.
            self.console.print(Text(text, style=style), soft_wrap=not self.console.is_terminal)

    def detail(self, text: str) -> None:
        """A line for a person who asked for `--verbose`; goes to standard error."""
        if self.verbose:
            self.errors.print(Text(text, style="dim"))

    def say_while_heard(self, text: str, *, is_detail: bool = False) -> None:
        """A line of a program that goes on when its terminal or its pipe has gone."""
        try:
            (self.detail if is_detail else self.say)(text)
        except (OSError, SystemExit):  # what rich makes of a pipe without a reader
            self.console.quiet = self.errors.quiet = True

    def notice(self, text: str) -> None:
        """Something to know that is not data; goes to standard error."""
        self.errors.print(Text(text, style="yellow"))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        title: str = "",
        right: Sequence[str] = (),
        empty: str = "",
    ) -> None:
        """A table for a person; `right` names the columns that hold figures."""
        if self.as_json:
            return
        lines = [tuple(shown(cell) for cell in row) for row in rows]
        if not lines:
            self.say(empty or "Nothing to show.")
            return
        width = self.console.width
        self.console.print(laid_out(columns, lines, figures=right, width=width, title=title))

    def listing(
        self,
        name: str,
        rows: Sequence[Mapping[str, object]],
        columns: Sequence[Column],
        *,
        empty: str = "",
    ) -> None:
        """Rows as a table for a person, or as the list `name` of the JSON object."""
        if self.as_json:
            self.result({name: rows})
            return
        self.table(
            [column.title for column in columns],
            [[row[column.key] for column in columns] for row in rows],
            right=[column.title for column in columns if column.is_figure],
            empty=empty,
        )

    def result(self, payload: Mapping[str, Any]) -> None:
        """The data of the command: printed as one JSON object with `--json`."""
        if self.as_json:
            self.emit({**self._heading, **plain(payload)})

    def emit(self, finished: Mapping[str, Any]) -> None:
        """Print one JSON object.  A command that runs others overrides this to gather theirs."""
        print(json.dumps(finished, indent=2, ensure_ascii=False))  # noqa: T201

    @contextmanager
    def progress(self, what: str, *, total: int | None = None) -> Generator[ProgressLine]:
        """A progress display on standard error for long work; `total` records, where known."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f} records"),
            TimeElapsedColumn(),
        )
        shown_there = self.errors.is_terminal and not self.as_json
        with Progress(
            *columns, console=self.errors, transient=True, disable=not shown_there
        ) as bar:
            yield ProgressLine(bar, what, total)


class ProgressLine:
    """One moving line: what is being fetched, and how many records so far."""

    def __init__(self, bar: Progress, what: str, total: int | None = None) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=total)

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it: where standard error is no terminal nobody does."""
        return not self._bar.disable

    def step(self, what: str, records: int) -> None:
        """Show `what` is under way and add `records` to the count."""
        self._bar.update(self._task, description=what, advance=records)


def shown(value: object) -> str:
    """A value as a person reads it: exact, and `–` where it is unknown."""
    if value is None or value == "":
        return DASH
    if isinstance(value, Money):
        return value.dollars()
    if isinstance(value, Ratio):
        return rounded_text(value, 4)
    text = str(value)
    return f"{text[:19]}Z" if _EXACT_TIME.match(text) else text


def plain(value: object) -> Any:  # noqa: ANN401  # JSON is any
    """A value as JSON holds it: exact decimals as strings, times as RFC 3339."""
    if isinstance(value, Money | Count | Price):
        return str(value)
    if isinstance(value, Ratio):
        return rounded_text(value, 6)
    if isinstance(value, Mapping):
        return {
            str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("Sequence[object]", value)]
    return value


def moment(instant: Instant | None) -> str | None:
    """An instant as RFC 3339 text in a payload, `None` staying `None`."""
    return None if instant is None else format_instant(instant)


def _whole_second(instant: Instant) -> Instant:
    return Instant(instant - instant % 1_000_000)
