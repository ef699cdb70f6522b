"""The exchange's schedule as closings: when no order will be taken in the days to come.

The schedule states the sessions of each weekday in Eastern time, and the maintenance
that was planned besides.  What lies between two sessions is a closing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from trueup.core.instant import EASTERN, Instant, from_datetime, to_datetime
from trueup.engine.hours import Window
from trueup.wire.rest.exchange import Schedule, TradingSession, Week

_DAYS: Final = 1 + 7
"""How many days are looked at: a week and the rest of today."""


def closings(schedule: Schedule, now: Instant) -> tuple[Window, ...]:
    """The closings of the coming week that are not over, earliest first.

    A schedule that names no session at all says nothing: then only its maintenance counts.
    """
    begin, end = now, _midnight(_day(now) + timedelta(days=_DAYS))
    sessions = sorted(_sessions(schedule.weeks, _day(now)))
    found = [
        Window(each.start_at, each.end_at) for each in schedule.maintenance if each.end_at > now
    ]
    if sessions:
        found += _between(sessions, begin, end)
    return tuple(sorted(found, key=lambda each: (each.begin, each.end)))


def _between(
    sessions: Sequence[tuple[Instant, Instant]], begin: Instant, end: Instant
) -> Iterator[Window]:
    """What the sessions leave uncovered from `begin` to `end`."""
    open_until = begin
    for opens, closes in sessions:
        if opens > open_until:
            yield Window(open_until, opens)
        open_until = max(open_until, closes)
    if open_until < end:
        yield Window(open_until, end)


def _sessions(weeks: Sequence[Week], today: date) -> Iterator[tuple[Instant, Instant]]:
    # The day before, too: one of its sessions may end today.
    for number in range(-1, _DAYS):
        day = today + timedelta(days=number)
        for week in weeks:
            if week.start_at <= _midnight(day + timedelta(days=1)) and _midnight(day) < week.end_at:
                for session in _of_day(week, day):
                    opens, closes = _at(day, session.opens), _at(day, session.closes)
                    if closes <= opens:
                        closes = _at(day + timedelta(days=1), session.closes)
                    yield max(opens, week.start_at), min(closes, week.end_at)


def _of_day(week: Week, day: date) -> Sequence[TradingSession]:
    days = (
        *(week.monday, week.tuesday, week.wednesday, week.thursday),
        *(week.friday, week.saturday, week.sunday),
    )
    return days[day.weekday()]


def _day(at: Instant) -> date:
    return to_datetime(at).astimezone(EASTERN).date()


def _midnight(day: date) -> Instant:
    return from_datetime(datetime.combine(day, time(), tzinfo=EASTERN))


def _at(day: date, clock: str) -> Instant:
    """A time of the day such as ``03:00``, or ``24:00`` for its end."""
    hour, _, minute = clock.partition(":")
    minutes = int(hour) * 60 + int(minute or "0")
    day += timedelta(days=minutes // (24 * 60))
    hour_of_day, minute_of_hour = divmod(minutes % (24 * 60), 60)
    moment = time(hour_of_day, minute_of_hour)
    return from_datetime(datetime.combine(day, moment, tzinfo=EASTERN))
