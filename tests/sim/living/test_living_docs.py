"""The documentation lists every key of a scenario, every fault, and an example that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from living_worlds import Watched, chances

from trueup.core.instant import parse_instant
from trueup.core.market import MarketStatus
from trueup.sim.faults import PROFILES, FaultName
from trueup.sim.living import scenario_file
from trueup.sim.living.built_in import WORLDS
from trueup.sim.living.scenario_file import ScenarioTables, ScenarioText
from trueup.sim.living.scenario_world import scenario_of

DOCS = Path(__file__).parents[3] / "docs" / "reference"
SCENARIOS = (DOCS / "scenarios.md").read_text(encoding="utf-8")
CONTROL = (DOCS / "control.md").read_text(encoding="utf-8")
TABLES = [
    each
    for name, each in vars(scenario_file).items()
    if name.endswith(("Table", "Tables")) and not name.startswith("_")
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_is_documented(table: type[ScenarioTables]) -> None:
    own = {
        "clock",
        "accounts",
        "worlds",
        "series",
        "events",
        "markets",
        "traders",
        "faults",
        "steps",
    }

    missing = [
        key for key in table.__struct_fields__ if key not in own and f"`{key}`" not in SCENARIOS
    ]

    assert missing == []


@pytest.mark.parametrize("name", FaultName)
def test_every_fault_is_documented_with_its_measure(name: FaultName) -> None:
    row = next(line for line in CONTROL.splitlines() if line.startswith(f"| `{name}` |"))
    profile = PROFILES[name]

    assert row.endswith(f"| {profile.percent} |")
    assert f"({profile.amount})" in row if profile.amount else "(" not in row.split("|")[3]


def test_every_world_is_documented() -> None:
    assert all(f"`{name}`" in SCENARIOS for name in WORLDS)


def test_the_example_runs_as_it_says() -> None:
    text = SCENARIOS.partition("```toml\n")[2].partition("```")[0]
    made = scenario_of(
        ScenarioText(text, "rain.toml"), parse_instant("2026-01-01T00:00:00Z"), chances
    )

    watched = Watched(made.world).run(10)

    assert watched.statuses() == {MarketStatus.FINALIZED: 2}
    assert made.speed == 60
