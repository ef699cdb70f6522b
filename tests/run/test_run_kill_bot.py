"""`kill -9` of the real bot at three moments; `make kill9 RUNS=100` does it a hundred times."""

from __future__ import annotations

import pytest
from kill_bot_often import KINDS, run


@pytest.mark.timeout(600)
def test_bot_killed_at_any_moment_doubles_and_loses_nothing() -> None:
    rounds = run(len(KINDS), seed=1, told=lambda _: None)

    assert [each.kind for each in rounds] == list(KINDS)
    assert [each.complaints for each in rounds] == [[], [], []]
    assert all(each.intents for each in rounds), "orders were under way"
