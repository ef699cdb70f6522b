"""The house rules that no linter knows: sizes, floats near money, clocks, secrets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "trueup").rglob("*.py"))
PURE = [
    p
    for p in SOURCES
    if p.relative_to(ROOT / "src" / "trueup").parts[0] in {"core", "ledger", "engine"}
]

LINES_MAX = 500
FUNCTION_LINES_MAX = 70
POSITIONAL_MAX = 3


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=identify)
def test_file_holds_one_noun(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")

    assert lines <= LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=identify)
def test_function_fits_a_screen(path: Path) -> None:
    too_long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert too_long == []


@pytest.mark.parametrize("path", SOURCES, ids=identify)
def test_function_has_few_positional_parameters(path: Path) -> None:
    crowded = [
        node.name
        for node in functions(path)
        if len([a for a in node.args.args if a.arg not in {"self", "cls"}]) > POSITIONAL_MAX + 1
    ]

    assert crowded == []


@pytest.mark.parametrize("path", PURE, ids=identify)
def test_no_float_near_money(path: Path) -> None:
    floats = [
        f"line {node.lineno}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]

    assert floats == []


@pytest.mark.parametrize("path", SOURCES, ids=identify)
def test_only_the_clock_asks_for_the_time(path: Path) -> None:
    if path.name == "clock.py":
        return
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"\btime\.time(_ns)?\(|datetime\.(utc)?now\(|date\.today\(", text)


@pytest.mark.parametrize("path", SOURCES, ids=identify)
def test_no_type_checking_blocks_hide_circles(path: Path) -> None:
    assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8")


def test_no_lock_file_or_constraint_names_an_address() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")

    assert "://" not in constraints
    assert all(re.fullmatch(r"[\w.\-]+==[\w.\-+!]+", line) for line in constraints.split())
