"""The arbitrage finder and the feeds, as their user meets them."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from other_house import OtherHouse
from typing_user import User

from trueup.core.instant import SECOND
from trueup.core.units import Ratio
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.feeds.pairs_file import EXAMPLE
from trueup.run.clock import SystemClock
from trueup.run.sandbox.living import BRIEF_WARM_UP, Wish, prepare


@pytest.fixture
def house() -> Iterator[OtherHouse]:
    with OtherHouse() as house:
        yield house


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    """A living market: its books have sizes."""
    now = SystemClock().now()
    living = prepare(Wish(world="economics", start=now, warm_up=BRIEF_WARM_UP)).living
    with SandboxServer(living, clock=SystemClock().now, settings=Settings(limits=UNLIMITED)) as it:
        yield it


def write_config(user: User, house: OtherHouse, more: str = "") -> None:
    user.home.mkdir(exist_ok=True)
    (user.home / "config.toml").write_text(
        f'venue = "sandbox"\n[feeds.polymarket]\nmapping = "pairs.toml"\n'
        f'gamma = "{house.url}"\nclob = "{house.url}"\n{more}'
    )


def write_pairs(folder: Path, *tickers: str, yes_is: str = "Yes") -> None:
    pairs = [
        EXAMPLE.replace("KXFEDDECISION-26DEC-H0", ticker)
        .replace("2589812", str(number))
        .replace('yes_is = "Yes"', f'yes_is = "{yes_is}"')
        for number, ticker in enumerate(tickers)
    ]
    (folder / "pairs.toml").write_text("\n".join(pairs))


def liquid(user: User) -> dict[str, str]:
    """A market of the sandbox in the middle of its range, with both sides there."""
    rows = user.json("markets", "scan", "--all", "--category", "Economics")["markets"]
    return next(r for r in rows if r["yes_bid"] and r["yes_ask"] and "0.2" < r["yes_ask"] < "0.8")


def test_an_arbitrage_is_below_98_cents_and_positive_after_both_fees(
    user: User, server: SandboxServer, house: OtherHouse
) -> None:
    user.points_at(server)
    write_config(user, house)
    market = liquid(user)
    ask = Ratio(market["yes_ask"])
    write_pairs(user.folder, market["ticker"])

    house.asks["0"] = ("0.99", str(float(Ratio("0.93") - ask)))
    (found,) = user.json("arbitrage", "scan")["pairs"]
    house.asks["0"] = ("0.99", str(float(Ratio("0.97") - ask)))
    (eaten,) = user.json("arbitrage", "scan")["pairs"]

    assert (found["verdict"], found["buy_here"]) == ("opportunity", "yes")
    assert found["combined"] == "0.9300"
    assert Ratio(found["net"]) == 1 - Ratio(found["combined"]) - Ratio(found["fees"])
    assert Ratio(found["net"]) > 0
    assert found["why_alike"]["checked_by"] == "ada"
    assert Ratio(eaten["combined"]) < Ratio("0.98")
    assert eaten["verdict"] == ("opportunity" if Ratio(eaten["net"]) > 0 else "no")


def test_a_pair_that_is_turned_round_buys_the_other_side(
    user: User, server: SandboxServer, house: OtherHouse
) -> None:
    user.points_at(server)
    write_config(user, house)
    market = liquid(user)
    write_pairs(user.folder, market["ticker"], yes_is="No")
    house.asks["0"] = ("0.05", "0.99")

    (found,) = user.json("arbitrage", "scan")["pairs"]
    said = user.type("arbitrage", "scan", "--watch", "--every", "5s", "--times", "1")

    assert (found["no_ask_there"], found["buy_here"]) == ("0.0500", "yes")
    assert "alike because: Both settle by the FOMC" in said.out


def test_what_cannot_be_compared_says_why(
    user: User, server: SandboxServer, house: OtherHouse
) -> None:
    user.points_at(server)
    write_config(user, house)
    market = liquid(user)
    write_pairs(user.folder, "KXNONE-1", market["ticker"])
    house.asks |= {"0": ("0.5", "0.5"), "1": ("1.2", "0.5")}

    unknown, odd = user.json("arbitrage", "scan")["pairs"]
    house.is_down = True
    down = user.type("arbitrage", "scan")

    assert "does not know this market" in unknown["verdict"]
    assert "outside 0 and 1" in odd["verdict"]
    assert (down.code, "answered 503" in down.err) == (1, True)


def test_a_mapping_that_is_missing_or_without_reasons_is_told(
    user: User, server: SandboxServer
) -> None:
    user.points_at(server)

    missing = user.type("arbitrage", "scan", "--mapping", "none.toml")
    example = user.type("arbitrage", "example")
    (user.folder / "bad.toml").write_text(example.out.replace("source =", "# source ="))
    bad = user.type("arbitrage", "scan", "--mapping", "bad.toml")

    assert (missing.code, bad.code) == (2, 2)
    assert "trueup arbitrage example" in missing.err
    assert "the key 'source' is missing" in bad.err


def test_feeds_check_shows_what_every_source_says(user: User, house: OtherHouse) -> None:
    write_config(
        user,
        house,
        f"""
[feeds.fedwatch]
place = "fedwatch.csv"
[feeds.news.wire]
url = "{house.url}/nothing"
[feeds.news.fresh]
url = "{house.url}/fresh"
[feeds.webhook]
port = 0
[[feeds.topics]]
tickers = ["KXFED-26DEC-T3.50"]
about = ["Fed"]
positive = ["holds"]
[feeds.language_model]
url = "{house.url}"
model = "small"
key_variable = "NO_SUCH_KEY"
""",
    )
    write_pairs(user.home, "KXFED-26DEC-T3.50")
    house.asks["0"] = ("0.40", "0.62")
    now = SystemClock().now() // SECOND
    house.page = (
        "<rss version='2.0'><channel>"
        f"<item><title>Fed holds, holds on</title><pubDate>{formatdate(now)}</pubDate></item>"
        f"<item><title>Fed held</title><pubDate>{formatdate(now - 3600)}</pubDate></item>"
        "</channel></rss>"
    )
    (user.home / "fedwatch.csv").write_text("meeting,range_bp,prob\n2026-12-09,350-375,1\n")

    said = user.type("feeds", "check")

    assert said.code == 1, "one of them is down"
    assert "wire: FAILS" in said.out
    assert "KXFED-26DEC-T3.50: 100.0 % by FedWatch" in said.out
    assert "KXFED-26DEC-T3.50: YES 0.4000, NO 0.6200 on polymarket" in said.out
    assert "positive, 75.0 % sure: Fed holds, holds on" in said.out
    assert "not used: fresh: a story not used, older than 10 min: 'Fed held'" in said.out
    assert "NO_SUCH_KEY is empty" in said.err
    token = user.home / "webhook-token"
    assert token.stat().st_mode & 0o077 == 0
    assert token.read_text().strip() not in said.out + said.err


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('[feeds.news.a]\nurl = "http://x"\n', "without [[feeds.topics]]"),
        ("[feeds.webhook]\nport = 1\nhost = '0.0.0.0'\n", "other machines can reach it"),
        ("[feeds.file]\npath = 'x'\nevery = '1ms'\n", "too short"),
        ("[feeds.file]\npath = 'x'\nevery = 'often'\n", "no length of time"),
        ("[feeds.fedwatch]\nplaces = 'x'\n", "places"),
    ],
)
def test_settings_that_make_no_sense_are_told(user: User, section: str, words: str) -> None:
    user.home.mkdir()
    (user.home / "config.toml").write_text(section)

    said = user.type("feeds", "check")

    assert said.code == 2
    assert words in said.err
