"""A bot from a script or a notebook: `trueup.Bot` and `trueup.run_bot`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import trueup
from trueup.core.errors import CallerError, ConfigError
from trueup.run.bot.assembly import BotReport
from trueup.run.bot.decision_log import Line


def test_notebook_runs_one_in_its_loop_and_one_beside_it(tmp_path: Path) -> None:
    heard: list[Line] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        config = tmp_path / name / "config.toml"
        config.write_text('[books]\nevery = "off"\n', encoding="utf-8")

    async def cell() -> tuple[BotReport, BotReport]:
        awaited = trueup.Bot(
            "threshold",
            minutes=0.1,
            world="temperatures",
            environment={"TRUEUP_HOME": str(tmp_path / "one")},
            said=heard.append,
        )
        first = await awaited.run()
        # A blocking call in a notebook: there the loop runs already.
        second = trueup.run_bot(
            "momentum",
            minutes=0.05,
            world="temperatures",
            environment={"TRUEUP_HOME": str(tmp_path / "two")},
        )
        return first, second

    first, second = asyncio.run(cell())

    assert first.sent == sum(each.get("verdict") == "sent" for each in heard)
    assert list(first.profits) == ["threshold"]
    assert list(second.profits) == ["momentum"]


def test_trouble_at_the_start_is_raised_where_it_was_started(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "kill-sandbox-main").touch()

    with pytest.raises(ConfigError, match="kill switch of this account is on") as caught:
        trueup.run_bot("threshold", environment={"TRUEUP_HOME": str(home)})
    assert "rearm" in caught.value.remedy


def test_what_cannot_be_run_is_refused_before_anything_moves(tmp_path: Path) -> None:
    environment = {"TRUEUP_HOME": str(tmp_path)}

    with pytest.raises(CallerError, match="a bot without a strategy"):
        trueup.Bot(environment=environment)
    with pytest.raises(CallerError, match="both strategies and a config"):
        trueup.Bot("threshold", config="bot.toml", environment=environment)
    with pytest.raises(ConfigError, match="no good name"):
        trueup.Bot(trueup.Strategy(), environment=environment)
    with pytest.raises(CallerError, match="has not run"):
        trueup.Bot("threshold", environment=environment).wait()
