"""What the machine room looks like: versions, sizes, checks, calls, errors and log lines."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from trueup.core.errors import NotANumber
from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.version import VERSION
from trueup.run.check import Check, Finding
from trueup.run.clock import SystemClock
from trueup.run.desk import Desk, DeskSettings
from trueup.run.operator.checks import operator_checks
from trueup.run.operator.log_reading import Filter, line_words, read_log
from trueup.run.operator.logs import logs_folder
from trueup.run.operator.operations import operations_path
from trueup.store.opening import sqlite_path
from trueup.store.operations import CallRow, ErrorRow, Selection, read_rows
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

CALLS_MAX: Final = 20_000
ROWS_MAX: Final = 200
_MEGABYTE: Final = 1024 * 1024
_OK: Final = range(200, 300)

_FINDINGS: Final[Mapping[Finding, Shown]] = {
    Finding.OK: Shown("● well", Tone.GOOD),
    Finding.NOTICE: Shown("▲ look", Tone.LOOK),
    Finding.PROBLEM: Shown("■ problem", Tone.BAD),
    Finding.SKIPPED: Shown("○ not looked at", Tone.MUTED),
}
_LEVELS: Final = {"warning": Tone.LOOK, "error": Tone.BAD, "critical": Tone.BAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """The calls of an hour, by how they ended; `milliseconds` is the median of the answers."""

    answered: int
    failed: int
    retried: int
    waited: int
    """How often a call waited for the exchange's rate limit."""
    milliseconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything that the page shows, read at one moment."""

    facts: Mapping[str, Shown]
    checks: Sequence[Check]
    calls: CallFigures
    errors: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]


def room(settings: DeskSettings) -> Room:
    """Look at it all.  Reads files: not for the event loop."""
    now = SystemClock().now()
    path = operations_path(settings.home, settings.config)
    hour = Selection(since=Instant(now - HOUR), limit=CALLS_MAX)
    return Room(
        facts=_facts(settings),
        checks=tuple(operator_checks(settings)),
        calls=call_figures(read_rows(path, CallRow, hour)),
        errors=read_rows(path, ErrorRow, Selection(limit=ROWS_MAX)),
        lines=read_log(settings.home, settings.config, Filter(limit=ROWS_MAX)),
    )


def call_figures(rows: Iterable[Mapping[str, Any]]) -> CallFigures:
    """Sums over rows of the table of calls."""
    counted = {"answered": 0, "retrying": 0, "throttled": 0}
    failed, lengths = 0, list[int]()
    for row in rows:
        event = str(row["event"])
        counted[event] = counted.get(event, 0) + 1
        if event == "answered":
            lengths.append(int(row["microseconds"]))
            failed += row["status"] not in _OK
    return CallFigures(
        answered=counted["answered"] - failed,
        failed=failed,
        retried=counted["retrying"],
        waited=counted["throttled"],
        milliseconds=int(median(lengths)) // 1000 if lengths else None,
    )


def call_facts(calls: CallFigures) -> dict[str, Shown]:
    """The calls of the last hour."""
    some = Tone.LOOK if calls.failed else Tone.PLAIN
    took = calls.milliseconds
    return {
        "Answered": shown.number(calls.answered),
        "Failed": Shown(f"{calls.failed:,}", some),
        "Tried again": shown.number(calls.retried),
        "Waited for the rate limit": shown.number(calls.waited),
        "Median answer": shown.words("" if took is None else f"{took} ms"),
    }


def _facts(settings: DeskSettings) -> dict[str, Shown]:
    config = settings.config
    books = sqlite_path(Desk(settings).database)
    days = config.logs.table_days
    return {
        "trueup": shown.words(VERSION),
        "Python": shown.words(platform.python_version()),
        "Shape of the books": shown.words(f"{SCHEMA_VERSION}.{PROJECTION_VERSION}"),
        "Books": shown.words("PostgreSQL" if books is None else f"SQLite, {size(Path(books))}"),
        "Tables of calls": shown.words(size(operations_path(settings.home, config))),
        "They keep": shown.words(f"{days} days" if days else "nothing"),
        "Log files": shown.words(size(logs_folder(settings.home))),
        "Home": shown.words(str(settings.home)),
    }


def size(path: Path) -> str:
    """How large a file is with what SQLite keeps beside it, or a folder's files; empty for none."""
    files = list(path.glob("*")) if path.is_dir() else list(path.parent.glob(f"{path.name}*"))
    sizes = [each.stat().st_size for each in files if each.is_file()]
    if not sizes:
        return ""
    tenths = sum(sizes) * 10 // _MEGABYTE
    return f"{tenths // 10:,}.{tenths % 10} MiB"


def check_rows(checks: Iterable[Check]) -> list[TableRow]:
    """A row for each check."""
    return [
        TableRow(
            key=each.name,
            cells={
                "name": shown.words(each.name),
                "finding": _FINDINGS[each.finding],
                "words": shown.words(each.words),
                "remedy": shown.note(each.remedy),
            },
        )
        for each in checks
    ]


def error_rows(errors: Sequence[Mapping[str, Any]]) -> list[TableRow]:
    """A row for each error, the newest first."""
    return [
        TableRow(
            key=f"{each['at']}/{place}",
            cells={
                "at": shown.moment(Instant(each["at"])),
                "process": shown.words(str(each["process"])),
                "words": shown.words(str(each["words"])),
                "remedy": shown.note(str(each["remedy"])),
            },
        )
        for place, each in reversed(tuple(enumerate(errors)))
    ]


def line_rows(lines: Sequence[Mapping[str, Any]]) -> list[TableRow]:
    """A row for each line of the log files, the newest first."""
    return [_line_row(place, line) for place, line in reversed(tuple(enumerate(lines)))]


def _line_row(place: int, line: Mapping[str, Any]) -> TableRow:
    at, level = str(line.get("at", "")), str(line.get("level", ""))
    try:
        when = shown.moment(parse_instant(at))
    except NotANumber:
        when = shown.words(at)
    return TableRow(
        key=f"{at}/{place}",
        cells={
            "at": when,
            "program": shown.words(str(line.get("program", ""))),
            "level": shown.words(level, tone=_LEVELS.get(level, Tone.PLAIN)),
            "words": shown.words(line_words(line)),
        },
    )
