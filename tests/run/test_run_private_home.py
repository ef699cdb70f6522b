"""Whoever is the first to write makes the home for its owner alone, and what is above it too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.core.errors import ConfigError
from trueup.run.config import make_home
from trueup.run.private_files import write_private_file
from trueup.store.intents import IntentLog
from trueup.store.operations import connect
from trueup.store.paper_log import PaperLog
from trueup.store.private_folder import make_private_folder
from trueup.store.sqlite import create_file
from trueup.web.security import save_password

FIRST: dict[str, Callable[[Path], object]] = {
    "init": make_home,
    "FIX session": lambda home: make_home(home / "fix"),
    "intent log": lambda home: IntentLog(home / "intents.log").close(),
    "paper log": lambda home: PaperLog(home / "paper" / "main.log").close(),
    "books": lambda home: create_file(home / "books" / "main.db"),
    "operations": lambda home: connect(home / "log" / "main.db").close(),
    "key file": lambda home: write_private_file(home / "keys" / "k", b"k"),
    "password": lambda home: save_password(home, "correct horse battery"),
}


@pytest.mark.parametrize("who", FIRST)
def test_home_on_an_unusual_path_is_its_owners_alone(tmp_path: Path, who: str) -> None:
    """A generous umask is what most machines have."""
    before = os.umask(0o022)
    try:
        FIRST[who](tmp_path / "elsewhere" / "trading" / "home")
    finally:
        os.umask(before)

    made = [each for each in tmp_path.rglob("*") if each.is_dir()]
    assert len(made) >= 3
    assert [each for each in made if each.stat().st_mode & 0o077] == []


def test_folder_that_exists_keeps_its_permissions(tmp_path: Path) -> None:
    """What somebody shares with a group on purpose is not taken away from it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o750)

    make_private_folder(shared / "home")
    make_private_folder(shared)

    assert shared.stat().st_mode & 0o777 == 0o750
    assert (shared / "home").stat().st_mode & 0o777 == 0o700


def test_file_in_the_place_of_a_home_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    for place in (tmp_path / "home", tmp_path / "home" / "fix"):
        with pytest.raises(ConfigError, match="cannot be made"):
            make_home(place)
