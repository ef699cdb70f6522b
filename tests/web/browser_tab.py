"""A served dashboard and a tab in which everything that goes wrong is noted."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from trueup.run.sandbox.companions import LivingAccount

PASSWORD = "correct horse battery"
PREFIX = "/books"
TOKEN = "token-of-the-tests"
LIMIT_MS = 90_000
"""It only guards against hanging: a busy machine makes a minute of a second."""


@dataclass
class Dashboard:
    """A served dashboard."""

    origin: str
    living: LivingAccount
    process: subprocess.Popen[str]

    def url(self, path: str) -> str:
        return f"{self.origin}{PREFIX}{path}"

    @property
    def home(self) -> Path:
        return Path(self.living.environment["TRUEUP_HOME"])


@dataclass
class Tab:
    """A page with everything that went wrong in it."""

    page: Page
    dashboard: Dashboard
    troubles: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(self.dashboard.url(path))
        self.page.locator("main h1").wait_for()
        self.page.wait_for_function("window.socket && window.socket.connected")
        return self.page
