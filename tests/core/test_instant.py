from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import NotANumber
from trueup.core.instant import (
    DAY,
    EASTERN,
    HOUR,
    MINUTE,
    SECOND,
    Instant,
    eastern_day,
    format_age,
    format_instant,
    from_datetime,
    from_milliseconds,
    from_seconds,
    parse_instant,
    parse_length,
    to_datetime,
    to_seconds_floor,
    utc_day,
)

instants = st.integers(min_value=-(50 * 365 * DAY), max_value=200 * 365 * DAY).map(Instant)


@given(instants)
def test_an_instant_printed_and_read_is_the_same(instant: Instant) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(instants)
def test_an_instant_as_datetime_and_back_is_the_same(instant: Instant) -> None:
    assert from_datetime(to_datetime(instant)) == instant


@given(instants, st.integers(min_value=-14 * 60, max_value=14 * 60))
def test_an_offset_names_the_same_instant(instant: Instant, offset_minutes: int) -> None:
    zone = timezone(timedelta(minutes=offset_minutes))

    assert parse_instant(to_datetime(instant).astimezone(zone).isoformat()) == instant


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01 00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:00.000001999Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
    ],
)
def test_rfc_3339_is_read(text: str, microseconds: int) -> None:
    assert parse_instant(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-05-07",
        "2026-05-07T17:55:25",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-05-07T17:55Z",
        "2026-05-07T24:00:00Z",
        "2026-05-07T17:60:00Z",
        "2026-05-07T17:55:61Z",
        "2026-05-07T17:55:25.Z",
        "2026-05-07T17:55:25Zulu",
        " 2026-05-07T17:55:25Z",
        "1778176525",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_instant(text)


def test_a_datetime_without_zone_is_refused() -> None:
    with pytest.raises(NotANumber, match="no time zone"):
        from_datetime(datetime(2026, 5, 7))  # noqa: DTZ001 - the point


def test_a_leap_second_is_the_next_minute() -> None:
    assert parse_instant("2016-12-31T23:59:60Z") == parse_instant("2017-01-01T00:00:00Z")


def test_a_leap_day_is_a_day() -> None:
    before, after = parse_instant("2028-02-28T12:00:00Z"), parse_instant("2028-03-01T12:00:00Z")

    assert after - before == 2 * DAY
    assert utc_day(Instant(before + DAY)) == "2028-02-29"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-15T04:59:59Z", "2026-01-14"),
        ("2026-01-15T05:00:00Z", "2026-01-15"),
        ("2026-07-15T03:59:59Z", "2026-07-14"),
        ("2026-07-15T04:00:00Z", "2026-07-15"),
        # The clocks go forward on 2026-03-08 at 07:00 UTC and back on 2026-11-01 at 06:00 UTC.
        ("2026-03-08T04:59:59Z", "2026-03-07"),
        ("2026-03-09T03:59:59Z", "2026-03-08"),
        ("2026-03-09T04:00:00Z", "2026-03-09"),
        ("2026-11-01T03:59:59Z", "2026-10-31"),
        ("2026-11-02T04:59:59Z", "2026-11-01"),
        ("2026-11-02T05:00:00Z", "2026-11-02"),
    ],
)
def test_the_eastern_day_follows_daylight_saving(text: str, day: str) -> None:
    assert eastern_day(parse_instant(text)) == day


@given(instants)
def test_an_eastern_day_begins_with_a_whole_hour_of_utc(instant: Instant) -> None:
    moment = to_datetime(instant).astimezone(EASTERN)

    assert eastern_day(instant) == moment.date().isoformat()


def test_seconds_and_milliseconds_are_exact() -> None:
    assert from_seconds(1_778_176_525) == 1_778_176_525 * SECOND
    assert from_milliseconds(1_778_176_525_212) == 1_778_176_525_212_000
    assert to_seconds_floor(Instant(1_999_999)) == 1
    assert to_seconds_floor(Instant(-1)) == -1
    assert to_datetime(Instant(0)) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (0, "0 s"),
        (-5 * SECOND, "0 s"),
        (59 * SECOND, "59 s"),
        (60 * SECOND, "1 min"),
        (3 * MINUTE + SECOND, "3 min"),
        (HOUR, "1 h"),
        (23 * HOUR, "23 h"),
        (49 * HOUR, "2 d"),
    ],
)
def test_an_age_is_told_in_words(age: int, words: str) -> None:
    assert format_age(age) == words


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("0s", 0),
        ("250ms", 250_000),
        ("7us", 7),
        ("15m", 15 * MINUTE),
        ("2h30m", 150 * MINUTE),
        ("1d", DAY),
    ],
)
def test_a_length_is_read_exactly(text: str, microseconds: int) -> None:
    assert parse_length(text) == microseconds


@pytest.mark.parametrize("text", ["", "15", "m", "1.5h", "-1h", "1 h", "1w", "1h ", "٣h"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_length(text)
