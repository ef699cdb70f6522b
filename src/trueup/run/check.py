"""One check of `doctor`, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTICE = "notice"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was looked at, how it is, and what to do if it is not well."""

    name: str
    finding: Finding
    words: str
    remedy: str = ""
