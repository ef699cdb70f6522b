"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path

from trueup.store.private_folder import make_private_folder


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read.  Raises `OSError`, also when it exists."""
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
