from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from trueup.core.catalog import Catalog, Event, FeeChange, FeeTerms, Market, Series
from trueup.core.ids import SHARD_ZERO, EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.core.units import Ratio

NOW = parse_instant("2026-10-01T12:00:00Z")
TICKER = Ticker("KXHIGHNY-26OCT01-B78")
EVENT = EventTicker("KXHIGHNY-26OCT01")
SERIES = SeriesTicker("KXHIGHNY")

MAKER = "quadratic_with_maker_fees"
PRESENT = FeeTerms("quadratic", Ratio(1), waived=False)


def days(number: int) -> Instant:
    return Instant(NOW + number * DAY)


def series(fee_type: str = "quadratic") -> Series:
    return Series(
        ticker=SERIES,
        title="Highest temperature in New York",
        category="Climate and Weather",
        tags=("Daily temperature",),
        fee_type=fee_type,
        fee_multiplier=Ratio(1),
    )


def event(fee_type: str | None = None, multiplier: Ratio | None = None) -> Event:
    return Event(
        ticker=EVENT,
        series_ticker=SERIES,
        title="Highest temperature in New York on 1 October",
        mutually_exclusive=True,
        fee_type_override=fee_type,
        fee_multiplier_override=multiplier,
    )


def market(waiver_until: Instant | None = None) -> Market:
    return Market(
        ticker=TICKER,
        event_ticker=EVENT,
        title="78 to 79 degrees",
        open_at=None,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=waiver_until,
        shard=SHARD_ZERO,
    )


def change(
    day: int, fee_type: str | None, multiplier: Ratio | None = None, *, of_event: bool = False
) -> FeeChange:
    return FeeChange(
        change_id=f"{day}-{fee_type}-{of_event}",
        series_ticker=SERIES,
        event_ticker=EVENT if of_event else None,
        fee_type=fee_type,
        fee_multiplier=Ratio(1) if multiplier is None and fee_type is not None else multiplier,
        effective_at=days(day),
    )


def catalog(
    *changes: FeeChange,
    one_series: Series | None = None,
    one_event: Event | None = None,
    one_market: Market | None = None,
    observed_at: Instant | None = NOW,
) -> Catalog:
    return Catalog(
        series=[one_series or series()],
        events=[one_event or event()],
        markets=[one_market or market()],
        fee_changes=changes,
        observed_at=observed_at,
    )


def fee_types(known: Catalog, at_days: Iterable[int]) -> list[str | None]:
    terms = [known.fee_terms(TICKER, days(day)) for day in at_days]
    return [None if one is None else one.fee_type for one in terms]


def test_a_series_without_changes_has_had_its_present_terms_all_along() -> None:
    known = catalog()

    assert [known.fee_terms(TICKER, days(day)) for day in (-2000, 0, 2000)] == [PRESENT] * 3


def test_a_scheduled_change_takes_effect_at_its_instant() -> None:
    known = catalog(change(5, MAKER, Ratio(1, 2)))

    assert known.fee_terms(TICKER, Instant(days(5) - 1)) == PRESENT
    assert known.fee_terms(TICKER, days(5)) == FeeTerms(MAKER, Ratio(1, 2), waived=False)
    assert known.fee_terms(TICKER, days(500)) == FeeTerms(MAKER, Ratio(1, 2), waived=False)


def test_a_past_change_tells_the_terms_of_its_time_and_hides_those_before() -> None:
    known = catalog(
        change(-20, MAKER), change(-10, "quadratic"), change(5, "quadratic_with_combo_maker_fees")
    )

    assert fee_types(known, [-21, -20, -11, -10, 0, 4, 5]) == [
        None,
        MAKER,
        MAKER,
        "quadratic",
        "quadratic",
        "quadratic",
        "quadratic_with_combo_maker_fees",
    ]


def test_the_reading_of_the_series_wins_over_an_older_change_from_then_on() -> None:
    known = catalog(change(-10, MAKER))

    assert fee_types(known, [-11, -10, -1, 0, 1]) == [None, MAKER, MAKER, "quadratic", "quadratic"]


def test_changes_may_come_in_any_sequence_and_twice() -> None:
    changes = [change(-20, MAKER), change(-10, "quadratic"), change(5, MAKER)]

    assert catalog(*changes) == catalog(*reversed(changes), *changes)


def test_without_an_instant_of_observation_only_changes_are_dated() -> None:
    assert fee_types(catalog(observed_at=None), [-1, 1]) == ["quadratic", "quadratic"]
    assert fee_types(catalog(change(0, MAKER), observed_at=None), [-1, 1]) == [None, MAKER]


def test_an_unknown_fee_type_is_kept_as_the_exchange_spells_it() -> None:
    known = catalog(one_series=series("margin_market_maker_program_fees"))

    assert fee_types(known, [0]) == ["margin_market_maker_program_fees"]


def test_an_event_override_wins_over_its_series() -> None:
    known = catalog(one_event=event(MAKER, Ratio(2)))

    assert known.fee_terms(TICKER, NOW) == FeeTerms(MAKER, Ratio(2), waived=False)


@pytest.mark.parametrize(
    ("override", "terms"),
    [
        (event(MAKER, None), FeeTerms(MAKER, Ratio(1), waived=False)),
        (event(None, Ratio(0)), FeeTerms("quadratic", Ratio(0), waived=False)),
    ],
)
def test_half_an_override_leaves_the_other_half_to_the_series(
    override: Event, terms: FeeTerms
) -> None:
    assert catalog(one_event=override).fee_terms(TICKER, NOW) == terms


def test_an_event_change_sets_and_a_later_one_clears_the_override() -> None:
    known = catalog(change(-10, MAKER, Ratio(1, 2), of_event=True), change(-5, None, of_event=True))

    assert fee_types(known, [-11, -10, -6, -5, 0]) == [
        "quadratic",
        MAKER,
        MAKER,
        "quadratic",
        "quadratic",
    ]


def test_before_a_first_change_that_clears_the_override_is_unknown() -> None:
    known = catalog(change(-5, None, of_event=True))

    assert fee_types(known, [-6, -5]) == [None, "quadratic"]


def test_a_scheduled_event_change_waits_for_its_instant() -> None:
    known = catalog(change(3, None, of_event=True), one_event=event(MAKER, Ratio(1)))

    assert fee_types(known, [-1, 2, 3]) == [MAKER, MAKER, "quadratic"]


def test_a_cleared_override_falls_back_to_what_the_series_has_then() -> None:
    known = catalog(
        change(-10, MAKER),
        change(-5, None, of_event=True),
        change(2, "quadratic"),
        one_series=series(MAKER),
    )

    assert fee_types(known, [-5, 1, 2]) == [MAKER, MAKER, "quadratic"]


def test_a_waiver_holds_until_it_expires() -> None:
    known = catalog(one_market=market(waiver_until=days(3)), one_event=event(MAKER, Ratio(1)))

    waived = known.fee_terms(TICKER, Instant(days(3) - 1))
    assert waived is not None
    assert waived.waived
    assert fee_types(known, [3]) == [MAKER]


@pytest.mark.parametrize(
    "known",
    [
        Catalog(),
        Catalog(series=[series()], events=[event()]),
        Catalog(series=[series()], markets=[market()]),
        Catalog(events=[event()], markets=[market()]),
    ],
)
def test_a_missing_link_makes_fee_and_category_unknown(known: Catalog) -> None:
    assert known.fee_terms(TICKER, NOW) is None
    assert known.category(TICKER) == ""
    assert known.series_of(TICKER) is None


def test_a_market_is_traced_to_event_series_and_category() -> None:
    known = catalog()

    assert known.event_of(TICKER) == event()
    assert known.series_of(TICKER) == series()
    assert known.category(TICKER) == "Climate and Weather"
    assert known.event_of(Ticker("ELSEWHERE")) is None


def test_of_two_records_with_one_ticker_the_later_wins() -> None:
    known = Catalog(series=[series(MAKER), series()], events=[event()], markets=[market()])

    assert known.fee_terms(TICKER, NOW) == PRESENT


def test_a_catalog_is_a_value() -> None:
    one: Any = catalog(change(5, MAKER))

    assert one == catalog(change(5, MAKER))
    assert hash(one) == hash(catalog(change(5, MAKER)))
    assert one != catalog()
    assert one != "catalog"
    assert repr(one) == "Catalog(1 series, 1 events, 1 markets, 1 fee changes)"
    assert one.observed_at == NOW
    with pytest.raises(TypeError):
        one.markets[TICKER] = market()
    with pytest.raises(AttributeError):
        one.series = {}


def test_the_records_are_listed_by_ticker() -> None:
    known = catalog(change(5, MAKER), change(-5, MAKER))

    assert dict(known.series) == {SERIES: series()}
    assert dict(known.events) == {EVENT: event()}
    assert dict(known.markets) == {TICKER: market()}
    assert [one.effective_at for one in known.fee_changes] == [days(-5), days(5)]
