"""The command tree: each command is in the file that is named for it, and loads no other."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
import typer

import trueup
from trueup.cli.main import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_adds_the_commands_it_is_listed_with(name: str) -> None:
    app = typer.Typer()

    import_module(f"trueup.cli.{name}").register(app)

    commands = [each.name for each in app.registered_commands]
    groups = [each.name for each in app.registered_groups]
    assert tuple(each.replace("_", "-") for each in (*commands, *groups) if each) == COMMANDS[name]


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import trueup", "sqlalchemy"),
        ("import trueup", "aiohttp"),
        ("from trueup.cli.main import build_app; build_app('balance')", "nicegui"),
        ("from trueup.cli.main import build_app; build_app('balance')", "pyarrow"),
        ("from trueup.cli.main import build_app; build_app('web')", "nicegui"),
    ],
)
def test_what_is_not_asked_for_is_not_loaded(code: str, heavy: str) -> None:
    look = f"{code}; import sys; sys.exit({heavy!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.parametrize("name", trueup.__all__)
def test_every_name_of_the_front_door_is_there(name: str) -> None:
    assert getattr(trueup, name) is not None
    assert name in dir(trueup)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = getattr(trueup, "Nonsense")  # noqa: B009
