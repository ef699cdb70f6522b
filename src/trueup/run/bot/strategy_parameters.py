"""A strategy made with the parameters of a configuration file, and those parameters in words.

A parameter is an argument of the class's constructor, or a public attribute of the
class or of an instance that is a plain value.  Names that are neither are refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_type_hints

from trueup.core.errors import ConfigError, TrueupError
from trueup.core.instant import SECOND
from trueup.engine.strategy import Strategy
from trueup.run.plain_values import Plain, convert, length_words, value_words

_NOT_PARAMETERS: Final = frozenset({"self", "universe", "tickers", "name", "windows"})


def make_strategy(
    make: Callable[..., Strategy] | Strategy, given: Mapping[str, Plain], where: str
) -> Strategy:
    """The strategy with these parameters; `where` begins every message.

    Raises `ConfigError` for a parameter that it does not have, or a value that does
    not fit.
    """
    arguments: dict[str, object] = {}
    attributes = dict(given)
    if isinstance(make, type):
        taken = _arguments(make)
        for name in [each for each in given if each in taken]:
            hint, default = taken[name]
            arguments[name] = _value(attributes.pop(name), hint, default, f"{where}.{name}")
        attributes_known = _attributes(make)
        known = sorted({*taken, *attributes_known})
    else:
        known = sorted(_attributes(make)) if isinstance(make, Strategy) else []
    unknown = [name for name in attributes if name not in known]
    if unknown:
        offered = f"It takes {', '.join(known)}." if known else "It takes none."
        near = get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{where}.{unknown[0]}: there is no such parameter{hint}", remedy=offered)
    strategy = make if isinstance(make, Strategy) else _made(make, arguments, where)
    for name, value in attributes.items():
        default = getattr(strategy, name)
        setattr(strategy, name, _value(value, Any, default, f"{where}.{name}"))
    return strategy


def parameter_words(strategy: Strategy) -> dict[str, str]:
    """What is set in a strategy, by the names of the configuration file and in its owner's words.

    A strategy is other people's code: where it cannot say, the only entry is ``unknown``, its
    error.
    """
    try:
        told = {str(name): str(text) for name, text in strategy.parameters().items()}
        found: dict[str, str] = {}
        for name, (_, default) in _arguments(type(strategy)).items():
            if hasattr(strategy, name):
                words = _words(getattr(strategy, name), default, told.get(name))
                if words is not None:
                    found[name] = words
        # What it tells of itself besides; `window_days` beside `window` would say it twice.
        for name, text in told.items():
            if not any(name == each or name.startswith(f"{each}_") for each in found):
                given = getattr(strategy, name, None)
                is_plain = given is not None and str(given) == text
                default = getattr(type(strategy), name, given)
                found[name] = (_words(given, default, text) or text) if is_plain else text
    except Exception as error:  # noqa: BLE001  (other people's code)
        return {"unknown": f"{type(error).__name__}: {error}"[:200]}
    return found


def _words(value: object, default: object, told: str | None) -> str | None:
    """`told` is what the strategy itself says of it, `None` where it says nothing: then a bare
    number, of which nobody knows what it counts, is left out.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        is_length = isinstance(default, int) and abs(default) >= SECOND
        return length_words(value) if is_length else told
    return value_words(value) or told


def _made(make: Callable[..., Strategy], arguments: Mapping[str, object], where: str) -> Strategy:
    try:
        return make(**arguments)
    except TrueupError as error:
        raise ConfigError(f"{where}: {error}", remedy=error.remedy) from error
    except Exception as error:
        raise ConfigError(
            f"{where}: the strategy cannot be made: {type(error).__name__}: {error}",
            remedy="Give the parameters that its constructor needs.",
        ) from error


def _value(given: Plain, hint: Any, default: object, where: str) -> object:  # noqa: ANN401
    try:
        return convert(given, hint, default)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}", remedy=error.remedy) from None


def _arguments(kind: type) -> dict[str, tuple[Any, object]]:
    """Of each argument its annotation and its default."""
    constructor: Any = kind.__init__
    if constructor is object.__init__:
        return {}
    try:
        hints = get_type_hints(constructor)
    except Exception:  # noqa: BLE001  (other people's annotations)
        hints = {}
    empty = inspect.Parameter.empty
    return {
        name: (hints.get(name, Any), None if each.default is empty else each.default)
        for name, each in inspect.signature(constructor).parameters.items()
        if name not in _NOT_PARAMETERS
        and each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}
    }


def _attributes(made: type | Strategy) -> set[str]:
    """Public plain attributes: the class's own ones, `every`, and an instance's."""
    kind = made if isinstance(made, type) else type(made)
    own = {name for each in kind.__mro__ if each not in Strategy.__mro__ for name in vars(each)}
    if isinstance(made, Strategy):
        own |= set(vars(made))
    return {
        name
        for name in own | {"every"}
        if not name.startswith("_")
        and name not in _NOT_PARAMETERS
        and not callable(getattr(made, name, None))
        and not isinstance(getattr(kind, name, None), property)
    }
