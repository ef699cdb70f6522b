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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

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
    try:
        text = body.decode("utf-8-sig")
        told = _of_json(text) if text.lstrip().startswith("{") else _of_csv(text)
    except (CallerError, msgspec.MsgspecError, ValueError, KeyError, ZeroDivisionError) as error:
        missing = isinstance(error, KeyError)
        words = f"the column {error} is missing" if missing else str(error)
        raise ProtocolBroken(
            f"{source} holds no probabilities that can be used: {words}",
            evidence=body[:200].decode("utf-8", "replace"),
        ) from error
    if not told.distributions:
        raise ProtocolBroken(f"{source} names no meeting with probabilities")
    return told


def _of_csv(text: str) -> Told:
    by_day: defaultdict[str, defaultdict[str, dict[int, Ratio]]]
    by_day = defaultdict(lambda: defaultdict(dict))
    for number, row in enumerate(csv.DictReader(io.StringIO(text))):
        if number >= _ROWS_MAX:
            raise ValueError(f"it has more than {_ROWS_MAX} rows")
        meetings = by_day[row.get("date") or ""]
        meetings[row["meeting"]][_upper(row["range_bp"])] = Ratio(row["prob"])
    day = max(by_day, default="")
    found = [
        distribution(date.fromisoformat(meeting), uppers)
        for meeting, uppers in sorted(by_day[day].items())
    ]
    return Told(distributions=tuple(found), as_of=_moment(day) if day else None, upper_now=None)


def _of_json(text: str) -> Told:
    document = _JSON.decode(text)
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
