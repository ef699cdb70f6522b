"""The page of every call is written from the code; this test keeps it so.

`python tests/conformance/test_rest_page.py` writes it anew.
"""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trueup.net.section import Blocking, Follows, Lists, Sends
from trueup.net.sections import Sections
from trueup.wire.rest import orders
from trueup.wire.rest.table import OPERATIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rest.md"

HEAD = """\
# Every call

Each operation of the exchange's REST API (OpenAPI 3.34), and how both clients say it. Parameters are explained by `help(client.orders.buy)` and
the like. Tokens are what a call costs before the exchange has told its own list; a batch costs that much per item. *Once* marks what is never
repeated by itself.

| client | operation | request | tokens | |
|---|---|---|---|---|
"""


class _Nowhere:
    """A client that sends nothing."""

    def send(self, call: Any) -> Any:
        return call

    def run(self, flow: Any) -> Any:
        return flow

    def listing(self, call: Any) -> Any:
        return call


def surface() -> Iterator[tuple[Callable[..., object], str]]:
    """Names on the client with the function behind each."""
    sections: dict[str, object] = vars(Sections[Blocking](_Nowhere()))
    for name, section in sections.items():
        members: dict[str, object] = dict(vars(type(section)))
        for attribute, member in members.items():
            if isinstance(member, Sends | Lists):
                yield inspect.unwrap(member.build), f"{name}.{attribute}"
            elif isinstance(member, Follows) and hasattr(orders, attribute):
                yield getattr(orders, attribute), f"{name}.{attribute}"


def operation_of(build: Callable[..., object]) -> str:
    """The operation that a function asks for: the only one that its source names."""
    words = re.findall(r'"(\w+)"', inspect.getsource(build))
    (operation,) = {word for word in words if word in OPERATIONS}
    return operation


def page() -> str:
    """The page as it should be."""
    said: dict[str, list[str]] = defaultdict(list)
    for build, name in surface():
        said[operation_of(build)].append(name)
    lines = [
        f"| {' '.join(f'`{name}`' for name in said[operation.name])} | {operation.name} "
        f"| `{operation.method} {operation.template}` | {operation.cost} "
        f"| {'' if operation.idempotent else 'once'} |"
        for operation in OPERATIONS.values()
    ]
    return HEAD + "\n".join(lines) + "\n"


def test_page_lists_every_call_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_operation_has_a_name_on_the_client() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert len(rows) == len(OPERATIONS)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
