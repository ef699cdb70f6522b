"""A bot that trades by FIX while things go wrong: no order twice, none forgotten."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bot_at_sandbox import Once, Ran, an_order, client, net_of, resting, rests, run

from trueup.core.ids import Ticker
from trueup.core.units import Count, Price
from trueup.engine import effects as f
from trueup.engine.inflight import OrderState
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode
from trueup.engine.strategy import Desk
from trueup.engine.wishes import Style, Wish
from trueup.net.fix.refusals import FixRefused
from trueup.run.bot.live import ORDERS
from trueup.run.clock import SystemClock
from trueup.testing.sandbox import KalshiSandbox

NR, RT = "KalshiNR", "KalshiRT"
SCRIPT = Path(__file__).parent / "fix_bot.py"


@pytest.fixture(scope="module")
def served() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(
        world="temperatures", speed=1, density=1, start=start, fix=True
    ) as running:
        yield running


@pytest.fixture
def sandbox(served: KalshiSandbox) -> Iterator[KalshiSandbox]:
    yield served
    served.control.clear_faults()


@pytest.fixture
def ticker(sandbox: KalshiSandbox) -> Ticker:
    """A market far from both ends, with enough to buy."""
    with client(sandbox) as one:
        for market in one.markets.list(status="open", combos=False):
            if Price.of_cents(20) < market.yes_bid < market.yes_ask < Price.of_cents(80):
                sandbox.control.quote(market.ticker, ask=str(market.yes_ask), count="500")
                return market.ticker
    pytest.fail("no market of the world is traded in the middle")


def has_bought(ticker: Ticker) -> Callable[[Machine], bool]:
    return lambda machine: machine.state.portfolio.net(ticker, "once") == Count.of_contracts(3)


def sent(ran: Ran) -> list[f.Decision]:
    return [
        each for each in ran.told if isinstance(each, f.Decision) and each.verdict is f.Verdict.SENT
    ]


def orders_of(ran: Ran, sandbox: KalshiSandbox, ticker: Ticker) -> list[dict[str, Any]]:
    """The orders that the exchange has under the names that the bot sent."""
    names = {each.client_order_id for each in sent(ran)}
    return [each for each in sandbox.control.orders(ticker) if each["client_order_id"] in names]


@pytest.mark.parametrize("road", [NR, RT])
@pytest.mark.parametrize(
    "fault", ["fix-unavailable", "fix-cut", "fix-lost", "fix-doubled", "fix-silent"]
)
def test_an_order_whose_report_is_lost_is_found_and_not_sent_again(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, road: str, fault: str
) -> None:
    held = net_of(sandbox, ticker)
    sandbox.control.fault(fault, times=1, percent=100)

    ran = run(sandbox, tmp_path, Once(an_order(ticker)), has_bought(ticker), road=road)

    assert len(sent(ran)) == len(orders_of(ran, sandbox, ticker)) == 1
    assert net_of(sandbox, ticker) == held + 300
    assert sandbox.control.ask("faults")["faults"][0]["hits"] == 1
    states = [each.state for each in ran.machine.state.inflight.unsettled()]
    assert OrderState.UNKNOWN not in states


def test_an_order_that_never_arrived_is_absent_before_another_is_sent(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    held = net_of(sandbox, ticker)
    sandbox.control.fault("fix-request-lost", times=1)

    ran = run(sandbox, tmp_path, Once(an_order(ticker)), has_bought(ticker), road=NR)

    assert "never reached the exchange" in ran.words()
    assert len(sent(ran)) == 2
    assert len(orders_of(ran, sandbox, ticker)) == 1
    assert net_of(sandbox, ticker) == held + 300


def test_a_rate_limit_is_a_refusal_and_nothing_more(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    sandbox.control.fault("fix-rate-limited", times=1)

    ran = run(sandbox, tmp_path, Once(an_order(ticker)), has_bought(ticker), road=NR)

    assert "rate limit exceeded" in ran.words()
    assert len(orders_of(ran, sandbox, ticker)) == 1


def test_a_tier_without_fix_ends_the_start_with_what_to_do(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    sandbox.control.fault("fix-not-entitled")

    with pytest.raises(FixRefused, match="not allowed for FIX") as caught:
        run(sandbox, tmp_path, Once(an_order(ticker)), has_bought(ticker), road=NR)

    assert "Premier" in caught.value.remedy


def test_a_mass_cancel_takes_orders_back_while_rest_is_down(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))
    was_killed = False

    def until(machine: Machine) -> bool:
        nonlocal was_killed
        if rests(ticker)(machine) and not was_killed:
            sandbox.control.fault("outage")
            (tmp_path / "kill").touch()
            was_killed = True
        return was_killed and machine.state.halts.has(HaltCode.KILL) and gone()

    def gone() -> bool:
        if resting(sandbox, ticker):
            return False
        sandbox.control.clear_faults()
        return True

    run(sandbox, tmp_path, strategy, until, road=NR, leaves_orders=True)


def test_orders_go_with_the_connection_where_that_was_asked_for(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    strategy = Once(an_order(ticker, limit=1, style=Style.POST))
    was_cut = False

    def until(machine: Machine) -> bool:
        nonlocal was_cut
        mine = resting(sandbox, ticker)
        if rests(ticker)(machine) and not was_cut:
            sandbox.control.fault("fix-cut", times=1, percent=100)
            sandbox.control.fill(mine[0]["order_id"], "1")
            was_cut = True
        own = [each for each in sandbox.control.orders(ticker) if each["status"] == "canceled"]
        return was_cut and bool(own) and machine.state.portfolio.net(ticker, "once") > Count(0)

    before = len([each for each in sandbox.control.orders(ticker) if each["status"] == "canceled"])
    ran = run(sandbox, tmp_path, strategy, until, road=NR, cancel_on_disconnect=True)

    assert len(sent(ran)) == 1
    assert len(canceled(sandbox, ticker)) == before + 1
    sessions = [each.what for each in ran.happened if each.name == ORDERS]
    assert sessions[:2] == ["logon", "logout"]


class Walks(Once):
    """Wishes for an order to rest, and as soon as it does for a dearer one in its place."""

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        del moved
        resting = [each for each in desk.orders(self.wish.ticker) if each.remaining]
        dearer = replace(self.wish, limit=Price.of_cents(2))
        yield dearer if resting else self.wish


def test_an_order_that_fix_renamed_is_known_after_a_crash(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    wish = an_order(ticker, limit=1, style=Style.POST)

    def is_changed(machine: Machine) -> bool:
        (mine,) = resting(sandbox, ticker) or (None,)
        known = machine.state.inflight.living(ticker)
        return (
            mine is not None and mine["price"] == "0.02" and [o.amending for o in known] == [None]
        )

    first = run(sandbox, tmp_path, Walks(wish), is_changed, road=NR, leaves_orders=True)
    (order,) = resting(sandbox, ticker)
    (decision,) = sent(first)
    second = run(sandbox, tmp_path, Walks(wish), is_changed, road=NR)

    assert order["client_order_id"] == f"{decision.client_order_id}~1"
    assert sent(second) == []
    # Withdrawn at the end, by REST: the new session did not place it.
    assert resting(sandbox, ticker) == []


def canceled(sandbox: KalshiSandbox, ticker: Ticker) -> list[dict[str, Any]]:
    return [each for each in sandbox.control.orders(ticker) if each["status"] == "canceled"]


@pytest.mark.parametrize("fault", ["fix-late", "fix-request-lost"])
def test_a_bot_killed_in_the_middle_of_an_order_knows_it_again(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path, fault: str
) -> None:
    """`kill -9` between the request and its report: the order was taken, or it was not."""
    held = net_of(sandbox, ticker)
    arrives = fault == "fix-late"
    number = sandbox.control.fault(fault, **({"amount": 30_000} if arrives else {}))
    known = len(sandbox.control.orders(ticker))

    with subprocess.Popen(
        [sys.executable, str(SCRIPT), *told_of(sandbox), str(tmp_path), ticker],
        stdout=subprocess.DEVNULL,
    ) as bot:
        try:
            while not hits(sandbox, number):
                assert bot.poll() is None
                time.sleep(0.05)
        finally:
            bot.kill()
    sandbox.control.clear_faults()
    assert len(sandbox.control.orders(ticker)) == known + arrives

    ran = run(sandbox, tmp_path, Once(an_order(ticker)), has_bought(ticker), road=NR)

    assert len(sent(ran)) == (0 if arrives else 1)
    assert net_of(sandbox, ticker) == held + 300
    assert len(sandbox.control.orders(ticker)) == known + 1


def told_of(sandbox: KalshiSandbox) -> list[str]:
    """What another process must know to reach the sandbox."""
    return [
        sandbox.base_url,
        sandbox.key_id,
        str(sandbox.private_key_path),
        str(sandbox.fix_ports[NR]),
        str(sandbox.fix_certificate_path),
    ]


def hits(sandbox: KalshiSandbox, number: int) -> int:
    faults = sandbox.control.ask("faults")["faults"]
    return next(each["hits"] for each in faults if each["number"] == number)
