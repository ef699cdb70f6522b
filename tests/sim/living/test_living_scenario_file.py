"""A scenario with a mistake says in which line and at which key."""

from __future__ import annotations

import pytest

from trueup.core.errors import ConfigError
from trueup.core.instant import HOUR, MINUTE, parse_instant
from trueup.core.toml_lines import TomlLines
from trueup.sim.living.scenario_file import ScenarioText

GOOD = """\
name = "rain"
seed = 7

[clock]
start = 2026-10-18T12:00:00Z
speed = 60

[[accounts]]
deposit = 250.50

[[series]]
ticker = "KXRAIN"

[[events]]
ticker = "KXRAIN-TODAY"
decided = "+8h"
number = { start = 55, swing = 1.5, every = "10m" }

[[markets]]
ticker = "KXRAIN-TODAY-T55"
event = "KXRAIN-TODAY"
low = 55

[[markets]]
ticker = "KXRAIN-TODAY-SURE"
event = "KXRAIN-TODAY"
fair = "0.40"
pays = "1"
"""


def read(text: str) -> ScenarioText:
    return ScenarioText(text, "rain.toml")


def test_a_good_file_is_read_exactly() -> None:
    scenario = read(GOOD)
    tables = scenario.tables
    start = scenario.instant(tables.clock.start, parse_instant("2026-01-01T00:00:00Z"))

    assert start == parse_instant("2026-10-18T12:00:00Z")
    assert str(scenario.money(tables.accounts[0].deposit)) == "250.50"
    number = tables.events[0].number
    assert number is not None
    assert (scenario.hundredths(number.start), scenario.hundredths(number.swing)) == (5_500, 150)
    assert scenario.length(number.every) == 10 * MINUTE
    assert scenario.instant(tables.events[0].decided, start) == start + 8 * HOUR
    assert [market.low for market in tables.markets] == [55, None]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("seed = 7", "sede = 7", "line 2, sede: there is no key 'sede'; did you mean 'seed'?"),
        ("speed = 60", "sped = 60", "line 6, clock.sped: there is no key 'sped'; did you mean"),
        ("speed = 60", 'speed = "fast"', "line 6, clock.speed: 'fast' does not fit"),
        ("low = 55", "lowest = 55", "line 22, markets[1].lowest: there is no key 'lowest'"),
        ('decided = "+8h"\n', "", "line 14, events[1]: the key 'decided' is missing"),
        ("every =", "evry =", "line 17, events[1].number.evry: there is no key 'evry'; did you"),
        ("[[markets]]", "[[market]]", "line 19, market: there is no key 'market'; did you mean"),
        ("[clock]", "[clock", "is not TOML"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(right: str, wrong: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(GOOD.replace(right, wrong, 1))

    assert "rain.toml" in str(raised.value)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [("tomorrow", "is no time"), ("+8 hours", "is no length"), ("2026-13-01T00:00:00Z", "no time")],
)
def test_a_time_that_is_none_names_its_key(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as raised:
        read(GOOD).instant(text, parse_instant("2026-01-01T00:00:00Z"), "events", 0, "decided")

    assert "line 16, events[1].decided" in str(raised.value)


@pytest.mark.parametrize("text", ["1.01", "-0.10", "a half", "0.12345"])
def test_a_price_that_is_none_names_its_key(text: str) -> None:
    with pytest.raises(ConfigError, match=r"line 28, markets\[2\]\.pays"):
        read(GOOD).price(text, "markets", 1, "pays")


def test_lines_survive_long_strings_arrays_and_comments() -> None:
    lines = TomlLines(
        'words = """\n[not.a.table]\nnot_a_key = 1\n"""\n'  # lines 1 to 4
        'tags = [\n  "a = b", # c = [\n  "]",\n]\n'  # lines 5 to 8
        "[[a]]\nx = 1\n[[a]]\n[a.b]\ny.z = 2\n"
    )

    assert lines.line(("words",)) == 1
    assert lines.line(("tags",)) == 5
    assert lines.line(("a", 0, "x")) == 10
    assert lines.line(("a", 1)) == 11
    assert lines.line(("a", 1, "b", "y", "z")) == 13
    assert lines.line(("a", 1, "b", "unheard")) == 12
    assert lines.line(("nothing",)) == 1
