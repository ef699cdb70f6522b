"""The pytest plugin: a fixture `kalshi_sandbox` for the tests of any bot.

    def test_my_bot_buys(kalshi_sandbox):
        my_bot.run(kalshi_sandbox.base_url, kalshi_sandbox.key_id, kalshi_sandbox.private_key_path)
        assert kalshi_sandbox.control.fills()

A test that wants another world says so:

    @pytest.mark.kalshi(world="football", seed=7, faults=["429-storm"])

Every test gets a fresh world.  The same seed gives the same world; a failure
prints it, and ``--kalshi-seed`` repeats it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# The sandbox is imported by the fixture: a project that only has the plugin
# installed does not pay for it.


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the sandbox."""
    group = parser.getgroup("kalshi sandbox")
    group.addoption("--kalshi-seed", type=int, default=None, help="the seed of every sandbox world")
    group.addoption(
        "--kalshi-world", default=None, help="the built-in world of tests that name none"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "kalshi(world=…, scenario=…, seed=…, speed=…, density=…, faults=…, tier=…): "
        "which world the fixture kalshi_sandbox serves",
    )


@pytest.fixture
def kalshi_sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A running Kalshi sandbox: `base_url`, `key_id`, `private_key_path`, `control`."""
    from trueup.testing.sandbox import KalshiSandbox  # noqa: PLC0415

    wanted: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("kalshi"))):
        wanted.update(marker.kwargs)
    named = request.config.getoption("--kalshi-world")
    if named is not None and "scenario" not in wanted:
        wanted.setdefault("world", named)
    seed = request.config.getoption("--kalshi-seed")
    if seed is not None:
        wanted["seed"] = seed
    if isinstance(wanted.get("scenario"), str):
        wanted["scenario"] = request.path.parent / wanted["scenario"]
    with KalshiSandbox.start(folder=tmp_path, **wanted) as sandbox:
        request.node.stash[_RUNNING] = (sandbox.seed, sandbox.words)
        yield sandbox


_RUNNING = pytest.StashKey[tuple[int, str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Print the seed with a failure."""
    report = yield
    running = item.stash.get(_RUNNING, None)
    if running is not None and report.failed:
        seed, words = running
        report.sections.append(
            ("Kalshi sandbox", f"{words}\nrepeat with: pytest --kalshi-seed {seed} {item.nodeid!r}")
        )
    return report
