"""Strategies by name or from a file, and a file to begin with."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, cast

from trueup.core.errors import ConfigError
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.mean_reversion import MeanReversion
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.news import News
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Strategy
from trueup.run.bot.strategy_parameters import make_strategy
from trueup.run.plain_values import Plain

STRATEGIES: Final[dict[str, Callable[[], Strategy]]] = {
    "threshold": Threshold,
    "mean-reversion": MeanReversion,
    "momentum": Momentum,
    "market-maker": MarketMaker,
    "news": News,
    "anchored": Anchored,
    "arbitrage": Arbitrage,
}
"""The strategies that ship, by name."""

Maker = Callable[..., Strategy]

_NAME_MAX: Final = 24
"""A strategy's name goes into every client order id, which FIX cuts at 64 characters."""

_NAME: Final = re.compile(rf"[\w-]{{1,{_NAME_MAX}}}", re.ASCII)


def load_strategies(
    name: str, parameters: Mapping[str, Plain] | None = None
) -> tuple[Strategy, ...]:
    """The strategies of a file, or the one that ships under this name.

    A file gives a `strategy`, a list of `strategies`, or classes of its own that
    derive from `Strategy` and need no arguments.  All are made with `parameters`.
    Raises `ConfigError`.
    """
    given: Mapping[str, Plain] = {} if parameters is None else parameters
    made = tuple(make_strategy(each, given, name) for each in find_strategies(name))
    for each in made:
        check_name(each.name, name)
        check_every(each, name)
    return made


def find_strategies(name: str, folder: Path | None = None) -> tuple[Maker | Strategy, ...]:
    """The classes (or the instances) behind a name or a file, not yet made.

    A relative path is taken from `folder`.  Raises `ConfigError`.
    """
    if name in STRATEGIES:
        return (STRATEGIES[name],)
    path = Path(name).expanduser() if folder is None else folder / Path(name).expanduser()
    if not path.is_file():
        near = get_close_matches(name, list(STRATEGIES), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"there is no strategy and no file {name!r}{hint}",
            remedy=f"Name a file, or one of {', '.join(STRATEGIES)}.",
        )
    found = _strategies_of(path)
    if not found:
        raise ConfigError(
            f"{path} defines no strategy",
            remedy="Derive a class from trueup.Strategy; `trueup bot new-strategy` writes one.",
        )
    return found


def check_name(name: str, where: str) -> None:
    """Whether a strategy may be called so.  Raises `ConfigError`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: {name!r} is no good name for a strategy",
            remedy=f"Use up to {_NAME_MAX} letters, digits, hyphens and underscores.",
        )


def check_every(strategy: Strategy, where: str) -> None:
    """Whether a strategy leaves time between its timers: without, nothing else has a turn.

    Raises `ConfigError`.
    """
    if strategy.every is not None and strategy.every < _EVERY_MIN:
        raise ConfigError(
            f"{where}: {strategy.name} wants its timer every {strategy.every} microseconds",
            remedy=f"Set `every` to at least {_EVERY_MIN} microseconds; most want seconds.",
        )


def _strategies_of(path: Path) -> tuple[Maker | Strategy, ...]:
    # A name of its own: a file called random.py must not become the library's.
    called = f"trueup_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(called, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file", remedy="Give it the ending .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[called] = module
    if (folder := str(path.parent.resolve())) not in sys.path:
        # What lies beside the file can be imported, last of all.
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}",
            remedy="Run it with python to see where.",
        ) from error
    given: Any = getattr(module, "strategies", None) or getattr(module, "strategy", None)
    if isinstance(given, Strategy):
        return (given,)
    if isinstance(given, list | tuple):
        return tuple(each for each in cast("Iterable[object]", given) if isinstance(each, Strategy))
    own = (each for each in vars(module).values() if isinstance(each, type))
    return tuple(each for each in own if issubclass(each, Strategy) and each.__module__ == called)


_EVERY_MIN: Final = 10_000
"""Microseconds that must lie between two timers of a strategy."""

BUSIEST: Final = 5
"""How many markets the strategy to begin with looks at: as many as a person can follow."""

TEMPLATE: Final = '''"""{name}: say in a sentence what it is betting on."""

from trueup import Count, Price, Strategy, Universe, buy_yes, sell_yes


class {title}(Strategy):
    name = "{name}"
    universe = Universe(busiest={busiest})  # only the busiest markets of the last day

    def on_markets(self, desk, moved):
        for ticker in moved:
            top, net = desk.top(ticker), desk.net(ticker)
            if top.ask and top.ask <= Price.of_cents(40) and not net:
                yield buy_yes(ticker, Count.of_contracts(5), top.ask, reason="cheap")
            elif top.bid and top.bid >= Price.of_cents(60) and net.units > 0:
                yield sell_yes(ticker, net, top.bid, reason="dear enough")
'''


def write_template(path: Path, *, busiest: int = BUSIEST) -> None:
    """Write a strategy to begin with, for so many markets.

    Raises `ConfigError` when the file exists.
    """
    words = [each for each in path.stem.replace("-", "_").split("_") if each]
    title = "".join(each.capitalize() for each in words)
    if path.suffix != ".py" or not title.isidentifier():
        raise ConfigError(f"{path} is no name for a Python file", remedy="Try my_bot.py.")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name="-".join(words), title=title, busiest=busiest))
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already.", remedy="Name a new file.") from error
