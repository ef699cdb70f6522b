"""Folders that only their owner may read."""

from __future__ import annotations

from pathlib import Path


def make_private_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and whatever is missing above it likewise.

    What exists keeps its permissions.  `Path.mkdir(parents=True, mode=...)` would make the
    missing parents with the permissions of everybody's files.  Raises `OSError`.
    """
    missing = [folder]
    missing += [each for each in folder.parents if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
