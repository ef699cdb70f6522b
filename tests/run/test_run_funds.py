"""Capitals beside the exchange's cash: said before the first order, refused where it is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from queue import Queue

import trueup
from trueup.core.ids import PRIMARY, SHARD_ZERO, Shard, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.statements import BalanceStated
from trueup.core.units import Money
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.state import Settings, State
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Mandate
from trueup.run.bot.assembly import new_client_order_id
from trueup.run.bot.funds import shortfalls

NOON = Instant(1_780_000_000 * SECOND)
SECOND_POT = Subaccount(1)


def dollars(text: str) -> Money:
    return Money.parse(text)


def state_of(cash: Sequence[tuple[Subaccount, Shard, str]], *capitals: tuple[int, str]) -> State:
    """A bot that has read its account, with a strategy for each (subaccount, capital)."""
    kinds = (Threshold, Momentum)
    mandates = [
        (kind(), Mandate(capital=dollars(capital), subaccount=Subaccount(place)))
        for kind, (place, capital) in zip(kinds, capitals, strict=False)
    ]
    machine = Machine(mandates, Settings(), new_client_order_id)
    machine.step(i.Recovered(at=NOON, records=()))
    for place, shard, amount in cash:
        stated = BalanceStated(
            low=dollars(amount),
            high=dollars(amount),
            portfolio_value=None,
            subaccount=place,
            shard=shard,
            at=NOON,
            observed_at=NOON,
        )
        machine.step(i.BalanceRead(at=NOON, balance=stated))
    return machine.state


def test_capitals_that_the_account_holds_are_no_news() -> None:
    cash = [(PRIMARY, SHARD_ZERO, "60"), (PRIMARY, Shard(1), "40")]

    assert list(shortfalls(state_of(cash, (0, "50"), (0, "50")))) == []


def test_strategies_share_what_their_subaccount_holds() -> None:
    cash = [(PRIMARY, SHARD_ZERO, "99.99"), (SECOND_POT, SHARD_ZERO, "5000")]

    (found,) = shortfalls(state_of(cash, (0, "50"), (0, "50")))

    assert found.words == (
        "the strategies of subaccount 0 were given 100.00 together, but 99.99 is available there"
    )


def test_each_subaccount_is_judged_by_itself() -> None:
    cash = [(PRIMARY, SHARD_ZERO, "1000"), (SECOND_POT, SHARD_ZERO, "10")]

    (found,) = shortfalls(state_of(cash, (0, "50"), (1, "50")))

    assert (found.subaccount, found.capital, found.cash) == (1, dollars("50"), dollars("10"))


def test_words_name_what_is_tied_up_already() -> None:
    short = next(shortfalls(state_of([(PRIMARY, SHARD_ZERO, "30")], (0, "50"))))

    assert "20.00 is in positions" in replace(short, tied=dollars("20")).words


def test_account_whose_balance_nobody_could_read_is_not_judged() -> None:
    assert list(shortfalls(state_of([], (0, "50")))) == []


def test_bot_says_at_its_start_that_the_money_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[books]\nevery = "off"\n', encoding="utf-8")

    heard: Queue[str] = Queue()
    with trueup.Bot(
        "momentum",
        capital="90000",
        world="temperatures",
        environment={"TRUEUP_HOME": str(tmp_path)},
        said=lambda line: heard.put(str(line)),
    ) as bot:
        while "were given" not in heard.get(timeout=120):
            pass
        report = bot.stop()

    (told,) = [each for each in report.alerts if "were given" in each]
    assert "were given 90,000.00 together, but 40,000.00 is available" in told
