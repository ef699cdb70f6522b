"""Paper beside a living sandbox over real sockets: no order arrives there, and the books close."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from trueup.core.errors import CallerError, ConfigError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import SECOND
from trueup.core.units import Count, Money, Price
from trueup.engine.strategy import Desk, Strategy
from trueup.engine.wishes import Wish, buy_yes
from trueup.ledger.breaks import BreakKind
from trueup.net.client import Client, open_client
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.books.account import open_account
from trueup.run.bot.assembly import BotReport, run_bot
from trueup.run.bot.at_work import BotAtWork
from trueup.run.bot.decision_log import read_decisions
from trueup.run.bot.hearing import Told
from trueup.run.bot.live_feeds import Scope
from trueup.run.bot.options import plain_options
from trueup.run.clock import SystemClock, unseeded
from trueup.run.desk import Desk as AccountDesk
from trueup.run.desk import read_desk_settings
from trueup.run.paper.listener import PaperListener, listening_client
from trueup.store.paper_log import read_paper_log
from trueup.testing.sandbox import KalshiSandbox

SERIES = SeriesTicker("KXHIGHNY")
SECONDS_MAX = 120


@pytest.fixture(scope="module")
def real() -> Iterator[KalshiSandbox]:
    """What stands for the real exchange: a world that trades, at the machine's own time."""
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=1, start=start) as running:
        yield running


def reach(sandbox: KalshiSandbox) -> tuple[Endpoint, Signer]:
    pem = Secret(sandbox.private_key_path.read_bytes())
    key = load_key(pem, passphrase=None, origin="test")
    return resolve_endpoint(Venue.SANDBOX, sandbox.base_url), signer_for(sandbox.key_id, key)


def client_of(sandbox: KalshiSandbox) -> Client:
    endpoint, signer = reach(sandbox)
    clock = SystemClock()
    return open_client(endpoint, signer, clock=clock.now, sleep=clock.sleep, chance=unseeded())


@pytest.fixture
def environment(real: KalshiSandbox, tmp_path: Path) -> Mapping[str, str]:
    return {
        "TRUEUP_HOME": str(tmp_path),
        "TRUEUP_BASE_URL": real.base_url,
        "KALSHI_API_KEY_ID": real.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(real.private_key_path),
    }


class Taker(Strategy):
    """Buys one contract of everything that is offered, once a second."""

    name = "taker"
    every = SECOND

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        for ticker in desk.tickers[:4]:
            ask = desk.top(ticker).ask
            if ask is not None and ask < Price.of_cents(97):
                yield buy_yes(ticker, Count.of_contracts(1), ask, reason="it is offered")


def run(
    environment: Mapping[str, str],
    until: Callable[[BotAtWork], bool],
    *,
    said: Told = lambda _: None,
) -> BotReport:
    settings = read_desk_settings(environment).on_paper()
    options = plain_options(
        [Taker()], Money.parse("250"), series=frozenset({SERIES}), tickers=frozenset[Ticker]()
    )

    async def stop(bot: BotAtWork) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while not until(bot):  # noqa: ASYNC110  # nothing rings
                await asyncio.sleep(0.05)
        bot.live.stop()

    return run_bot(settings, options, said=said, started=lambda _: None, beside=[stop])


def test_paper_trades_here_and_the_real_exchange_never_hears_of_it(
    real: KalshiSandbox, environment: Mapping[str, str], tmp_path: Path
) -> None:
    first = run(environment, lambda bot: bot.tally.fills >= 5)
    screen: list[str] = []
    again = run(
        environment,
        lambda bot: bot.tally.sent > 0 and bot.tally.fills > 0,
        said=lambda told: screen.append(getattr(told, "words", "")),
    )
    log = read_decisions(Path(again.decisions), limit=100_000)
    told = [each["key"] for each in log if each.get("alert") == "fill"]

    assert first.fills >= 5
    assert f"read back: {first.fills} fills of earlier runs" in screen
    assert len(told) == len(set(told)) == first.fills + again.fills, "each is told once"
    with open_account(account="main-paper", environment=environment) as account:
        account.sync()
        # A reading in the same second as the last fill may not show it: the next one does.
        if not account.prove().verdict.closes:
            assert {each.found.kind for each in account.reconcile().breaks} == {BreakKind.TIMING}
            time.sleep(1.5)
            account.sync()
        proof = account.prove()
        fills = list(account.books.fills())
    assert proof.verdict.closes, proof.verdict.words()
    with AccountDesk(read_desk_settings(environment, account="main-paper")) as desk:
        told = sorted(each.trade_id for each in desk.client().portfolio.fills())
    # The bot may have been filled once more between its last word and its end.
    assert sorted(fill.trade_id for fill in fills) == told
    assert len(told) == len(set(told)) >= first.fills + again.fills
    with client_of(real) as client:
        assert not list(client.orders.list())
        assert not list(client.portfolio.fills())
    assert (tmp_path / "books" / "sandbox-paper-main-paper.db").exists()
    assert not (tmp_path / "books" / "sandbox-live-main.db").exists()


def test_the_only_client_that_knows_the_real_exchange_cannot_write(real: KalshiSandbox) -> None:
    async def buy() -> None:
        async with listening_client(*reach(real)) as client:
            await client.orders.buy(
                "KXHIGHNY-26NOV28-B50.5", "yes", count=Count.of_contracts(1), price=Price(5_000)
            )

    with pytest.raises(CallerError, match="whose orders never leave"):
        asyncio.run(buy())


def test_a_paper_account_that_never_began_says_how_to_begin(
    environment: Mapping[str, str],
) -> None:
    settings = read_desk_settings(environment, account="main-paper")

    with AccountDesk(settings) as desk, pytest.raises(ConfigError, match="no paper account"):
        desk.client()


def test_a_log_that_was_cut_off_by_a_crash_is_mended(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    run(environment, lambda bot: bot.tally.fills > 0)
    path = tmp_path / "paper" / "sandbox-main-paper.log"
    whole = list(read_paper_log(path))
    with path.open("ab") as file:
        file.write(b'TellOrder {"at":17')

    assert list(read_paper_log(path)) == whole
    run(environment, lambda bot: bot.live.ready.is_set())
    assert list(read_paper_log(path))[: len(whole)] == whole


def test_too_many_markets_are_refused_with_what_to_do(
    real: KalshiSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trueup.run.paper.listener.MARKETS_MAX", 3)
    listener = PaperListener(*reach(real), Scope())

    try:
        with pytest.raises(ConfigError, match="too many to mirror"):
            listener.start()
    finally:
        listener.stop()
