"""The reference page states the tables of `core.fee_schedule`, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.core.fee_schedule import (
    RATES,
    ROUNDING_REGIMES,
    Precision,
    Rates,
    RoundingRegime,
)
from trueup.core.instant import EASTERN, Instant, to_datetime
from trueup.core.units import Money

PAGE = (Path(__file__).parents[2] / "docs/reference/fees.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|")
]


def day(at: Instant) -> str:
    moment = to_datetime(at).astimezone(EASTERN)
    return f"{moment.day} {moment:%B %Y}"


def dollars(amount: Money) -> str:
    return f"${amount}"


@pytest.mark.parametrize("regime", ROUNDING_REGIMES, ids=lambda regime: regime.name)
def test_the_page_tells_every_rounding_regime(regime: RoundingRegime) -> None:
    (row,) = [row for row in ROWS if row[0] == regime.name]
    direct, other = (regime.balance_step(one) for one in Precision)

    assert row[1] == ("the beginning" if regime is ROUNDING_REGIMES[0] else day(regime.since))
    assert row[2] == dollars(regime.trade_fee_step)
    assert row[3] == f"{dollars(direct)} / {dollars(other)}"
    if not regime.accumulates:
        assert row[4] == "no rebates"
    elif regime.rebate_step is None:
        assert row[4] == "the balance step"
    else:
        assert row[4] == dollars(regime.rebate_step)


@pytest.mark.parametrize("rates", RATES[1:], ids=lambda rates: rates.source)
def test_the_page_tells_every_change_of_rates(rates: Rates) -> None:
    (row,) = [row for row in ROWS if row[0] == day(rates.since)]

    assert row[1] == f"{float(rates.taker):g}"
    if rates.maker_per_contract:
        assert f"${float(rates.maker_per_contract):g} per contract" in row[2]
    else:
        assert row[2] == (f"{float(rates.maker):g}" if rates.maker else "–")
