"""Frozen values made in bulk.

The constructor of a frozen dataclass sets every field through a checked call, and
that is most of the cost of a value with a dozen fields.  `quickly` gives another
constructor for the same class: it fills an unguarded twin with the same slots and
then says what it is.  The value is the same in every way, and as frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def quickly(made: Callable[P, T]) -> Callable[P, T]:
    """The quick constructor of a slotted, frozen dataclass; it takes keywords only.

    Raises `TypeError` for a class that checks its fields or makes defaults anew:
    that would be passed over.
    """
    cls = cast("type[Any]", made)
    listed = fields(cls)
    if hasattr(cls, "__post_init__") or any(
        field.default_factory is not MISSING or not field.init for field in listed
    ):
        message = f"{cls.__name__} does more than keep its fields"
        raise TypeError(message)
    names = tuple(field.name for field in listed)
    twin = type(cls.__name__, (), {"__slots__": names})
    defaults = {field.name: field.default for field in listed if field.default is not MISSING}
    known: dict[str, Any] = {"_new": object.__new__, "_twin": twin, "_class": cls}
    known |= {f"_default_{name}": value for name, value in defaults.items()}
    wanted = (f"{name}=_default_{name}" if name in defaults else name for name in names)
    source = (
        f"def make(*, {', '.join(wanted)}):\n"
        "    _made = _new(_twin)\n"
        + "".join(f"    _made.{name} = {name}\n" for name in names)
        + "    _made.__class__ = _class\n"
        "    return _made\n"
    )
    exec(source, known)  # noqa: S102  # made of the class's own field names, as dataclasses does
    return cast("Callable[P, T]", known["make"])
