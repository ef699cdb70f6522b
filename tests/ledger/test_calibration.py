"""What was paid a contract beside what it returned, against positions worked out by hand."""

from __future__ import annotations

import pytest
from trade_script import book

from trueup.core.ids import Ticker
from trueup.core.units import Count, Price, Ratio
from trueup.ledger.calibration import calibration
from trueup.ledger.entries import RoundTrip

WON = "12:00 buy no 80 @ .32\n13:00 row no revenue 80.00 no 80 no_cost 25.60"
LOST = "12:00 buy no 20 @ .38\n13:00 row yes revenue 0 no 20 no_cost 7.60"
DEAR = "12:00 buy yes 10 @ .97\n13:00 row yes revenue 10.00 yes 10 yes_cost 9.70"
SOLD = "12:00 buy yes 10 @ .40 fee .17\n12:30 sell yes 10 @ .55 fee .18"
OPEN = "12:00 buy yes 10 @ .40 fee .17"
HALF = (
    "12:00 buy yes 10 @ .40\n12:30 sell yes 5 @ .45\n13:00 row yes revenue 5.00 yes 5 yes_cost 2.00"
)


def trips(*scripts: str) -> list[RoundTrip]:
    return [
        trip
        for number, script in enumerate(scripts)
        for trip in book(script, ticker=Ticker(f"KXCPI-26JUN-T{number}")).round_trips
    ]


def test_contracts_of_a_price_are_weighed_together() -> None:
    (bucket,) = calibration(trips(WON, LOST))

    assert (bucket.low, bucket.high) == (Price.parse("0.30"), Price.parse("0.40"))
    assert (bucket.positions, bucket.contracts) == (2, Count.of_contracts(100))
    assert bucket.paid == Ratio("0.332")
    assert bucket.returned == Ratio("0.8")
    assert bucket.edge == Ratio("0.468")


def test_buckets_come_cheapest_first_and_the_last_one_ends_at_a_dollar() -> None:
    cheap, dear = calibration(trips(DEAR, WON))

    assert cheap.low < dear.low
    assert dear.high == Price.parse("1")
    assert dear.returned == 1


@pytest.mark.parametrize("script", [SOLD, OPEN], ids=["sold", "open"])
def test_what_was_not_held_to_the_end_says_nothing(script: str) -> None:
    assert calibration(trips(script)) == ()


def test_only_the_part_that_was_held_counts() -> None:
    (bucket,) = calibration(trips(HALF))

    assert bucket.contracts == Count.of_contracts(5)
    assert (bucket.paid, bucket.returned) == (Ratio("0.4"), 1)
