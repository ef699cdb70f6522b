"""FedWatch-style probabilities, or futures prices to compute them from, in a file or at an address.

Three forms are read:

- CSV with the columns ``meeting, range_bp, prob`` and usually ``date`` (of several
  dates the newest counts): ``2026-11-27,2026-12-09,350-375,0.71``.
- JSON with probabilities: ``{"as_of": "2026-11-27T21:00:00Z", "upper_now": 400,
  "meetings": {"2026-12-09": {"350-375": "0.71", "375-400": "0.29"}}}``.
- JSON with futures: ``{"as_of": …, "upper_now": 400, "effective": "3.88",
  "futures": {"2026-12": "96.2150", …}, "meetings": ["2026-12-09", …]}``.

A range is in basis points, a figure a decimal.  A date without a time is the end of
that trading day, 21:00 UTC.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

import msgspec

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.units import Ratio
from trueup.engine.fedwatch import Distribution, distribution, from_futures

_CLOSE: Final = 21 * HOUR
_ROWS_MAX: Final = 200_000

Figure = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a file says.  `as_of` and `upper_now` (basis points) are `None` where it does not."""

    distributions: tuple[Distribution, ...]
    as_of: Instant | None
    upper_now: int | None


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    meetings: Mapping[str, Mapping[str, Figure]] | tuple[str, ...]
    as_of: str = ""
    upper_now: int | None = None
    effective: Figure | None = None
    futures: Mapping[str, Figure] = {}


_JSON = msgspec.json.Decoder(_Document)


def parse(body: bytes, source: str) -> Told:
    """Read any of the three forms.  Raises `ProtocolBroken` that says what is wrong."""
    return _read(body, source, _newest)


def parse_history(body: bytes, source: str) -> tuple[Told, ...]:
    """Read what was told over time, the oldest first: a table of many dates, or a JSON
    document a line.  Each must say when it was told.  Raises `ProtocolBroken`.
    """
    return _read(body, source, _history)


T = TypeVar("T", Told, tuple[Told, ...])


def _read(body: bytes, source: str, read: Callable[[str], T]) -> T:
    try:
        return read(body.decode("utf-8-sig"))
    except (CallerError, msgspec.MsgspecError, ValueError, KeyError, ZeroDivisionError) as error:
        missing = isinstance(error, KeyError)
        words = f"the column {error} is missing" if missing else str(error)
        raise ProtocolBroken(
            f"{source} holds no probabilities that can be used: {words}",
            evidence=body[:200].decode("utf-8", "replace"),
        ) from error


def _newest(text: str) -> Told:
    if text.lstrip().startswith("{"):
        return _of_json(text)
    days = _days_of(csv.DictReader(io.StringIO(text)))
    day = max(days, default="")
    return _told(day, days[day])


def _history(text: str) -> tuple[Told, ...]:
    if text.lstrip().startswith("{"):
        found = [_of_json(line) for line in text.splitlines() if line.strip()]
    else:
        days = _days_of(csv.DictReader(io.StringIO(text)))
        found = [_told(day, meetings) for day, meetings in days.items()]
    if any(told.as_of is None for told in found):
        raise ValueError("when something was told is not said: a date or as_of is missing")
    return tuple(sorted(found, key=lambda told: told.as_of or Instant(0)))


Day = dict[str, dict[int, Ratio]]
"""Of each meeting, how likely each upper end is."""


def _days_of(rows: Iterable[Mapping[str, str]]) -> defaultdict[str, Day]:
    by_day: defaultdict[str, Day] = defaultdict(dict)
    for number, row in enumerate(rows):
        if number >= _ROWS_MAX:
            raise ValueError(f"it has more than {_ROWS_MAX} rows")
        meeting = by_day[row.get("date") or ""].setdefault(row["meeting"], {})
        meeting[_upper(row["range_bp"])] = Ratio(row["prob"])
    return by_day


def _told(day: str, meetings: Day) -> Told:
    found = tuple(
        distribution(date.fromisoformat(meeting), uppers)
        for meeting, uppers in sorted(meetings.items())
    )
    if not found:
        raise ValueError("it names no meeting")
    return Told(distributions=found, as_of=_moment(day) if day else None, upper_now=None)


def _of_json(text: str) -> Told:
    document = _JSON.decode(text)
    if not document.meetings:
        raise ValueError("it names no meeting")
    as_of = _moment(document.as_of) if document.as_of else None
    if isinstance(document.meetings, Mapping):
        found = tuple(
            distribution(
                date.fromisoformat(meeting),
                {_upper(name): Ratio(str(likely)) for name, likely in ranges.items()},
            )
            for meeting, ranges in sorted(document.meetings.items())
        )
        return Told(distributions=found, as_of=as_of, upper_now=document.upper_now)
    if document.effective is None or document.upper_now is None or not document.futures:
        raise ValueError("futures need effective, upper_now and futures beside the meetings")
    found = from_futures(
        {_month(name): Ratio(str(price)) for name, price in document.futures.items()},
        [date.fromisoformat(day) for day in document.meetings],
        effective=Ratio(str(document.effective)),
        upper_now=document.upper_now,
    )
    return Told(distributions=found, as_of=as_of, upper_now=document.upper_now)


def _upper(text: str) -> int:
    """``350-375`` → 375; the upper end alone is fine."""
    return int(text.strip().rpartition("-")[2])


def _month(text: str) -> tuple[int, int]:
    day = date.fromisoformat(f"{text}-01")
    return day.year, day.month


def _moment(text: str) -> Instant:
    if "T" in text:
        return parse_instant(text)
    return Instant(parse_instant(f"{date.fromisoformat(text)}T00:00:00Z") + _CLOSE)
