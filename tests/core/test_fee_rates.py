from __future__ import annotations

import pytest

from trueup.core.catalog import FeeTerms
from trueup.core.fee_schedule import published_multiplier
from trueup.core.fees import FillForFee, Precision, match_order_fees, model_fee, predict_order_fees
from trueup.core.ids import SeriesTicker
from trueup.core.instant import parse_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio

QUADRATIC = FeeTerms("quadratic", Ratio(1), waived=False)
WITH_MAKER_FEES = FeeTerms("quadratic_with_maker_fees", Ratio(1), waived=False)


@pytest.mark.parametrize(
    ("day", "taker", "maker"),
    [
        ("2021-07-20", "3.50", "0"),
        ("2021-08-02", "1.75", "0"),
        ("2024-06-01", "1.75", "0"),
        ("2025-05-12", "1.75", "0"),
        ("2025-05-13", "1.75", "0.25"),
        ("2025-07-07", "1.75", "0.25"),
        ("2025-07-08", "1.75", "0.4375"),
        ("2026-10-01", "1.75", "0.4375"),
    ],
)
def test_rates_follow_the_published_schedules(day: str, taker: str, maker: str) -> None:
    at, count, price = parse_instant(f"{day}T16:00:00Z"), Count.of_contracts(100), Price(5_000)

    assert model_fee(WITH_MAKER_FEES, count, price, True, at=at) == Ratio(taker)
    assert model_fee(WITH_MAKER_FEES, count, price, False, at=at) == Ratio(maker)
    assert model_fee(QUADRATIC, count, price, False, at=at) == 0


@pytest.mark.parametrize(
    ("series", "day", "multiplier"),
    [
        ("INXD", "2022-09-20", 1),
        ("INXD", "2022-09-27", Ratio(1, 2)),
        ("NASDAQ100W", "2023-01-01", Ratio(1, 2)),
        ("KXINXY", "2025-09-01", Ratio(1, 2)),
        ("HIGHNY", "2023-01-01", 1),
        ("KXBTC", "2025-09-01", 1),
    ],
)
def test_index_series_pay_half_since_september_2022(
    series: str, day: str, multiplier: Ratio
) -> None:
    at = parse_instant(f"{day}T16:00:00Z")

    assert published_multiplier(SeriesTicker(series), at) == multiplier


@pytest.mark.parametrize(
    ("day", "is_taker", "contracts", "fee"),
    [
        # The worked example of the first schedule, and the same contract a month later.
        ("2021-07-20", True, 1, "0.04"),
        ("2021-08-20", True, 1, "0.02"),
        ("2025-06-01", False, 5, "0.02"),
        ("2025-08-01", False, 5, "0.03"),
    ],
)
def test_an_old_fill_is_charged_by_the_rates_of_its_day(
    day: str, is_taker: bool, contracts: int, fee: str
) -> None:
    one = FillForFee(
        side=Side.YES,
        count=Count.of_contracts(contracts),
        price=Price.of_cents(55),
        is_taker=is_taker,
        at=parse_instant(f"{day}T16:00:00Z"),
    )

    lines = predict_order_fees([one], lambda _: WITH_MAKER_FEES, Precision.DIRECT)

    assert lines is not None
    assert lines[0].net_fee == Money.parse(fee)
    assert lines == match_order_fees(
        [one], [Money.parse(fee)], lambda _: WITH_MAKER_FEES, Precision.DIRECT
    )
