"""Which operation a request means.

The routes of the present exchange come from the table of operations; an older
personality has its own in place of some.  A literal segment wins over a
placeholder: ``/series/fee_changes`` is not a series.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from trueup.wire.rest.table import Operation


@dataclass(slots=True)
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    placeholder: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])


class Routes:
    """A tree of path segments."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            for part in operation.template.split("/")[1:]:
                if part.startswith("{"):
                    node.placeholder = node.placeholder or _Node()
                    node = node.placeholder
                else:
                    node = node.literal.setdefault(part, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation, with the values of its placeholders; `None` for no operation.

        `path` has no ``/trade-api/v2`` prefix and no query.
        """
        segments = path.split("/")[1:]
        node = _descend(self._root, segments, 0, method=method)
        if node is None:
            return None
        operation = node.operations[method]
        parts = operation.template.split("/")[1:]
        values = {
            part[1:-1]: segment
            for part, segment in zip(parts, segments, strict=True)
            if part.startswith("{")
        }
        return operation, values


def _descend(node: _Node, segments: list[str], place: int, *, method: str) -> _Node | None:
    if place == len(segments):
        return node if method in node.operations else None
    segment = segments[place]
    literal = node.literal.get(segment)
    if literal is not None:
        found = _descend(literal, segments, place + 1, method=method)
        if found is not None:
            return found
    if node.placeholder is None or not segment:
        return None
    return _descend(node.placeholder, segments, place + 1, method=method)
