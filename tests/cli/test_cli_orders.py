"""Trading by hand against a served exchange: shown, sent, changed, taken back, and never by accident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typing_user import User

from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import SystemClock, seeded
from trueup.sim.scenario import DEFAULT_SEED, account_world


@pytest.fixture(scope="module")
def floor() -> Iterator[SandboxServer]:
    """An exchange of its own: its orders are nobody else's."""
    clock = SystemClock()
    world = account_world(seeded(DEFAULT_SEED), clock.now())
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        yield server


@pytest.fixture
def trader(user: User, floor: SandboxServer) -> User:
    user.points_at(floor)
    return user


@pytest.fixture
def market(trader: User) -> str:
    (row, *_) = trader.json("markets", "list", "--limit", "1")["markets"]
    return row["ticker"]


def place(trader: User, market: str, *more: str) -> str:
    payload = trader.json("order", "place", "buy", "3", "yes", market, "0.05", *more)
    assert payload["sent"]
    return payload["result"]["order_id"]


def test_order_is_placed_changed_and_taken_back(trader: User, market: str) -> None:
    order_id = place(trader, market, "--post-only")

    amended = trader.json("order", "amend", order_id, "--yes-price", "0.06", "--resting", "5")
    assert amended["request"]["body"]["count"] == "5.00"
    assert amended["result"]["remaining_count"] == "5.00"
    decreased = trader.json("order", "decrease", order_id, "--by", "2")
    assert decreased["result"]["remaining_count"] == "3.00"
    canceled = trader.json("order", "cancel", order_id)
    assert canceled["result"]["reduced_by"] == "3.00"


def test_cancelled_order_is_said_to_be_so(trader: User, market: str) -> None:
    order_id = place(trader, market)
    trader.json("order", "cancel", order_id)

    again = trader.json("order", "cancel", order_id)

    assert "canceled" in again["words"]
    assert again["result"]["status"] == "canceled"


def test_cancel_all_looks_that_nothing_rests(trader: User, market: str) -> None:
    place(trader, market)
    place(trader, market)

    done = trader.json("order", "cancel-all")

    assert done["result"] == {"resting": 0, "orders": []}
    assert done["words"] == "Nothing rests any more."


def test_words_of_a_trader_are_shown_as_what_is_sent(trader: User, market: str) -> None:
    said = trader.json("order", "place", "sell", "2", "no", market, "0.30", "--dry-run")

    assert not said["sent"]
    assert (said["request"]["body"]["side"], said["request"]["body"]["price"]) == ("bid", "0.7000")


def test_refusal_is_told_in_the_exchanges_words(trader: User, market: str) -> None:
    said = trader.type("order", "place", "buy", "1", "yes", market, "0.0515")

    assert said.code == 1
    assert "invalid price" in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("buy", "0", "yes", "T", "0.5"), "more than 0 contracts"),
        (("buy", "1", "yes", "T", "1"), "between"),
        (("buy", "1", "yes", "T", "fifty"), "not a decimal"),
        (("buy", "1", "yes", "T", "0.5", "--reduce-only"), "immediate_or_cancel"),
        (("hold", "1", "yes", "T", "0.5"), "hold"),
    ],
)
def test_order_that_makes_no_sense_is_not_sent(
    trader: User, words: tuple[str, ...], says: str
) -> None:
    said = trader.type("order", "place", *words)

    assert said.code == 2
    assert says in said.err


def test_nothing_to_amend_is_said(trader: User) -> None:
    said = trader.type("order", "amend", "o1")

    assert said.code == 2
    assert "nothing to change" in said.err


# -- production --------------------------------------------------------------------------------


@pytest.fixture
def at_prod(user: User, floor: SandboxServer) -> User:
    """A user who has a key and has named the production exchange."""
    user.points_at(floor)
    del user.variables["TRUEUP_BASE_URL"]
    user.variables["KALSHI_ENV"] = "prod"
    return user


def test_production_sends_nothing_without_its_gates(at_prod: User) -> None:
    said = at_prod.json("order", "place", "buy", "1", "yes", "KXA-1", "0.50", code=1)

    assert not said["sent"]
    assert [gate["name"] for gate in said["closed_gates"]] == [
        "command",
        "configuration",
        "arming",
    ]
    assert said["request"]["body"]["ticker"] == "KXA-1"


def test_arming_names_the_gate_before_it(at_prod: User) -> None:
    said = at_prod.type("arm")

    assert said.code == 2
    assert "does not allow live orders" in said.err
    assert "live = true" in said.err


def test_armed_account_needs_only_the_word_on_the_command(at_prod: User) -> None:
    at_prod.home.mkdir(parents=True, exist_ok=True)
    (at_prod.home / "config.toml").write_text("live = true\n", encoding="utf-8")

    armed = at_prod.json("arm", "--for", "10m")
    said = at_prod.json("order", "place", "buy", "1", "yes", "KXA-1", "0.50", code=1)
    disarmed = at_prod.json("disarm")

    assert armed["until"].endswith("Z")
    assert [gate["name"] for gate in said["closed_gates"]] == ["command"]
    assert disarmed["was_armed"]


def test_live_bot_refuses_capital_that_the_account_does_not_hold(
    at_prod: User, floor: SandboxServer
) -> None:
    """At the production exchange nothing begins on money that is not there; before, it is said."""
    at_prod.points_at(floor)
    at_prod.variables["KALSHI_ENV"] = "prod"
    at_prod.home.mkdir(parents=True, exist_ok=True)
    (at_prod.home / "config.toml").write_text("live = true\n", encoding="utf-8")
    (at_prod.folder / "bot.toml").write_text(
        '[[strategies]]\nstrategy = "momentum"\ncapital = "90000000"\n', encoding="utf-8"
    )
    assert at_prod.type("arm", "--for", "10m").code == 0

    checked = at_prod.type("bot", "check", "--config", "bot.toml", "--json").payload
    ran = at_prod.type("bot", "run", "--config", "bot.toml", "--live", "--minutes", "5")

    assert any("were given 90,000,000.00" in each for each in checked["hindrances"])
    assert (ran.code, "were given 90,000,000.00 together" in ran.err) == (2, True), ran
    assert "Give the strategies less capital" in ran.err


def test_sandbox_has_nothing_to_arm(user: User) -> None:
    said = user.type("arm")

    assert said.code == 2
    assert "nothing to arm" in said.err


# -- markets -----------------------------------------------------------------------------------


def test_market_is_shown_with_its_terms(trader: User, market: str) -> None:
    row = trader.json("markets", "show", market)

    assert row["ticker"] == market
    assert row["status"] == "active"
    assert row["price_ranges"]
    assert "price level structure" in trader.type("markets", "show", market).out


def test_own_order_shows_in_the_book(trader: User, market: str) -> None:
    order_id = place(trader, market)

    book = trader.json("markets", "book", market)

    assert {"yes_price": "0.05", "count": "3.00", "cumulative": "3.00"} in book["bids"]
    assert "0.05" in trader.type("markets", "book", market).out
    trader.json("order", "cancel", order_id)


def test_candles_are_asked_for_in_known_periods(trader: User, market: str) -> None:
    assert isinstance(trader.json("markets", "candles", market)["candles"], list)

    said = trader.type("markets", "candles", market, "--period", "7m")

    assert said.code == 2
    assert "1m, 1h, 1d" in said.err


def test_unknown_market_is_not_found(trader: User) -> None:
    said = trader.type("markets", "show", "KXNOWHERE-1")

    assert said.code == 1
    assert "not found" in said.err


def test_built_in_sandbox_says_that_it_forgets(user: User) -> None:
    listed = user.json("markets", "list", "--limit", "1")["markets"]

    said = user.type("order", "place", "buy", "1", "yes", listed[0]["ticker"], "0.05")

    assert said.code == 0
    assert "forgets what is done here" in said.err
    assert "1.00 resting" in said.out
