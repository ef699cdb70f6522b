"""The bot's tests: every one gets a Kalshi of its own.

pytest examples/testing_your_bot
"""

from __future__ import annotations

import pytest
from bot import Bot

from trueup.testing.sandbox import KalshiSandbox


def bot_on(sandbox: KalshiSandbox) -> Bot:
    return Bot(sandbox.base_url, sandbox.key_id, sandbox.private_key_path)


@pytest.mark.kalshi(world="temperatures")
def test_it_buys_what_is_cheap_and_is_paid(kalshi_sandbox: KalshiSandbox) -> None:
    control = kalshi_sandbox.control

    bought = bot_on(kalshi_sandbox).buy_below(0.30)

    assert bought
    fills = control.fills()
    assert {fill["order_id"] for fill in fills} == set(bought)
    assert all(float(fill["price"]) <= 0.30 for fill in fills)

    control.settle(fills[0]["ticker"], "yes")

    assert fills[0]["ticker"] not in control.account()["positions"]


@pytest.mark.kalshi(world="temperatures")
def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(
    kalshi_sandbox: KalshiSandbox,
) -> None:
    kalshi_sandbox.control.fault("accepted-then-503", times=1)

    bought = bot_on(kalshi_sandbox).buy_below(0.30)

    orders = kalshi_sandbox.control.orders()
    assert len(orders) == len(bought)
    assert len({order["client_order_id"] for order in orders}) == len(orders)


@pytest.mark.kalshi(world="football", start="2026-10-18T16:00:00Z", seed=7)
def test_a_whole_sunday(kalshi_sandbox: KalshiSandbox) -> None:
    bot_on(kalshi_sandbox).buy_below(0.45)

    kalshi_sandbox.control.advance("36h")

    # Every game is over, whatever happened in it: nothing is left open.
    assert kalshi_sandbox.control.account()["positions"] == {}
