"""`markets scan`, as somebody who looks for something to trade types it."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

from typing_user import User

from trueup.core.units import Count, Price
from trueup.net.acceptor.server import SandboxServer


def test_a_scan_finds_busy_markets_whose_yes_is_cheap(user: User, server: SandboxServer) -> None:
    """The guide's defaults: volume of 1,000 at least, YES for 30 cents at most, by volume."""
    user.points_at(server)

    found = user.json("markets", "scan")["markets"]
    everything = user.json("markets", "scan", "--all")["markets"]

    def fits(row: dict[str, str | None]) -> bool:
        return (
            (ask := row["yes_ask"]) is not None
            and Price.parse(ask) <= Price.of_cents(30)
            and Count.parse(row["volume"] or "0") >= Count.of_contracts(1_000)
        )

    assert found
    assert [row["ticker"] for row in found] == [r["ticker"] for r in everything if fits(r)][:50]
    volumes = [Count.parse(row["volume"]) for row in everything]
    assert all(one >= other for one, other in pairwise(volumes))


def test_every_open_market_of_a_category_is_there(user: User, server: SandboxServer) -> None:
    user.points_at(server)

    listed = {row["ticker"] for row in user.json("markets", "list", "--limit", "1000")["markets"]}
    everything = user.json("markets", "scan", "--all")["markets"]
    economics = user.json("markets", "scan", "--all", "--category", "Economics")["markets"]

    assert {row["ticker"] for row in everything} == listed
    assert {row["category"] for row in economics} == {"Economics"}
    assert len(economics) == sum(row["category"] == "Economics" for row in everything)


def test_csv_is_a_table_and_nothing_else(user: User, server: SandboxServer) -> None:
    user.points_at(server)

    said = user.type("markets", "scan", "--all", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))

    assert said.code == 0
    assert "DEMO" in said.err, "whose markets these are is still said"
    assert len(rows) == len(user.json("markets", "scan", "--all")["markets"])
    assert {"ticker", "volume", "spread", "seconds_left", "category"} <= rows[0].keys()


def test_watching_says_each_scan_on_a_line_of_its_own(user: User, server: SandboxServer) -> None:
    user.points_at(server)

    said = user.type("markets", "scan", "--watch", "--every", "5s", "--times", "1", "--json")
    shown = user.type("markets", "scan", "--watch", "--times", "1")

    (line,) = said.out.splitlines()
    assert json.loads(line)["new"] == []
    assert len(json.loads(line)["markets"]) > 0
    assert "markets" in shown.out


def test_contradictions_and_nonsense_are_told(user: User) -> None:
    assert user.type("markets", "scan", "--csv", "--watch").code == 2
    assert user.type("markets", "scan", "--price-max", "cheap").code == 2
    assert "length of time" in user.type("markets", "scan", "--closes-within", "soon").err
