"""Folders, and files that are only ever added to, for their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from trueup.core.errors import BooksError


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and whatever is missing above it likewise.

    What exists keeps its permissions.  `Path.mkdir(parents=True, mode=...)` would make the
    missing parents with the permissions of everybody's files.  Raises `OSError`.
    """
    missing = [folder]
    missing += [each for each in folder.parents if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def open_log(path: Path, *, name: str) -> int:
    """A descriptor of a file that is read and only ever added to; its folder is made as well.

    `name` is what the file is to a person.  Raises `BooksError` when it cannot be opened.
    """
    try:
        make_private_folder(path.parent)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise log_trouble(path, error, name=name) from error


def log_trouble(path: Path, error: OSError, *, name: str) -> BooksError:
    """What is said when a log cannot be opened or added to."""
    return BooksError(
        f"{name} {path} cannot be written: {error.strerror}",
        remedy="Free the disk or mend the folder, then start again: it goes on from what was kept.",
    )
