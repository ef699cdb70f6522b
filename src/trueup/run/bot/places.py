"""Where the files of a bot lie: one of each per venue and account, under the home."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from trueup.core.errors import BooksError, ConfigError
from trueup.run.config import make_home
from trueup.run.desk import DeskSettings
from trueup.store.intents import IntentLog


def intents_path(settings: DeskSettings) -> Path:
    """The intent log of an account."""
    return settings.home / f"intents-{settings.config.venue}-{settings.config.account}.log"


def kill_path(settings: DeskSettings) -> Path:
    """The file that stops a bot of this account as soon as it exists."""
    return settings.home / f"kill-{settings.config.venue}-{settings.config.account}"


def pull_kill_switch(settings: DeskSettings, words: str) -> bool:
    """Leave the kill file; whether it is there.  It raises nothing: cancelling comes next.

    An empty one does as well: on a full disk a name often fits where words do not.
    """
    path = kill_path(settings)
    with suppress(ConfigError, OSError):
        make_home(settings.home)
        path.write_text(f"{words}\n", encoding="utf-8")
    return os.path.exists(path)  # noqa: PTH110  # a path's own method raises on a disk in trouble


def decisions_path(settings: DeskSettings) -> Path:
    """The decision log of an account: one JSON object a line."""
    name = f"decisions-{settings.config.venue}-{settings.config.account}.jsonl"
    return settings.home / name


def control_path(settings: DeskSettings) -> Path:
    """Where a running bot of this account writes how it can be reached."""
    return settings.home / f"control-{settings.config.venue}-{settings.config.account}.json"


def check_log(settings: DeskSettings) -> str:
    """Whether a bot runs on this account; words, empty when none does."""
    path = intents_path(settings)
    if not path.exists():
        return ""
    try:
        IntentLog(path).close()
    except BooksError as error:
        return str(error)
    return ""
