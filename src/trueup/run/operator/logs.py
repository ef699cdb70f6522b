"""The log files: one JSON object a line, without secrets, in files that do not grow for ever.

Each program that runs for long (``bot``, ``sync``, ``record``, ``web``) writes its own file
under ``TRUEUP_HOME/logs``.  Lines are rendered where they are told and written by a
thread, so that a slow disk holds nobody up.  What libraries log as a warning or
worse goes into the same file.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Full, Queue
from types import TracebackType
from typing import Any, Final, Self, cast

import structlog

from trueup.core.errors import ConfigError, writing_remedy
from trueup.core.instant import format_instant
from trueup.core.redaction import Redactor, known_secrets
from trueup.run.clock import SystemClock
from trueup.run.config import Config
from trueup.run.operator.settings import LogSettings
from trueup.store.private_folder import make_private_folder

LOGS_FOLDER: Final = "logs"
_MEGABYTE: Final = 1024 * 1024
_QUEUE_MAX: Final = 10_000
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Event = MutableMapping[str, Any]


def logs_folder(home: Path) -> Path:
    """Where the log files are."""
    return home / LOGS_FOLDER


def log_path(home: Path, role: str, config: Config) -> Path:
    """The log file of a program for an account."""
    return logs_folder(home) / f"{role}-{config.venue}-{config.account}.jsonl"


def account_redactor(environment: Mapping[str, str], config: Config) -> Redactor:
    """Knows the secrets of this environment and of these settings."""
    return Redactor({*known_secrets(environment), config.key_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTarget:
    """Where a program's lines go.  `to_stderr` writes them to standard error as well."""

    path: Path
    settings: LogSettings
    redactor: Redactor
    to_stderr: bool = False


class Logs:
    """The log of one program.  A context manager; `log` may be used from any thread.

    Raises `ConfigError` when the folder cannot be written.
    """

    def __init__(self, target: LogTarget) -> None:
        self.counts: Counter[str] = Counter()
        """Lines ``dropped`` because nobody could write them."""
        settings = target.settings
        self._redactor = target.redactor
        level = _LEVELS[settings.level]
        try:
            make_private_folder(target.path.parent)
            file = _PrivateFile(
                target.path,
                maxBytes=settings.file_megabytes * _MEGABYTE,
                backupCount=settings.files,
                encoding="utf-8",
            )
        except OSError as error:
            raise ConfigError(
                f"the log {target.path} cannot be written: {error.strerror}",
                remedy=writing_remedy(error),
            ) from error
        file.lost = self._lost
        handlers: list[logging.Handler] = [file]
        if target.to_stderr:
            handlers.append(logging.StreamHandler(sys.stderr))
        for each in handlers:
            each.setFormatter(logging.Formatter("%(message)s"))
        queue: Queue[Any] = Queue(_QUEUE_MAX)
        self._listener = QueueListener(queue, *handlers)
        self._handlers = handlers
        feeder = _Feeder(queue, self._lost)
        # Not in the tree of loggers: two programs in one process have a file each.
        self._logger = logging.Logger("trueup", level)  # noqa: LOG001
        self._logger.addHandler(feeder)
        self.log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
            self._logger,
            wrapper_class=structlog.stdlib.BoundLogger,
            processors=[
                structlog.stdlib.filter_by_level,
                _stamp,
                structlog.stdlib.add_log_level,
                structlog.processors.format_exc_info,
                self._clean,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
        self._foreign = _Foreign(self.log)
        logging.getLogger().addHandler(self._foreign)
        self._listener.start()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        logging.getLogger().removeHandler(self._foreign)
        self._listener.stop()
        for each in self._handlers:
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _clean(self, logger: object, method: str, event: Event) -> Event:
        del logger, method
        return cast("Event", self._redactor.document(event))

    def _lost(self) -> None:
        self.counts["dropped"] += 1


def _stamp(logger: object, method: str, event: Event) -> Event:
    """Lead with the time, so that lines sort."""
    del logger, method
    return {"at": format_instant(SystemClock().now()), **event}


class _Feeder(QueueHandler):
    """Hands lines to the writer thread, and never waits for it."""

    def __init__(self, queue: Queue[Any], lost: Any) -> None:  # noqa: ANN401  # a callback
        super().__init__(queue)
        self._lost = lost

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """The line is complete and clean: nothing may be added to it, a traceback for example."""
        record.exc_info = record.exc_text = record.stack_info = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put a line into the queue; count it where there is no room."""
        try:
            self.queue.put_nowait(record)
        except Full:
            self._lost()


class _PrivateFile(RotatingFileHandler):
    """A rotating file that only its owner may read, and that fails without a noise."""

    lost: Any = staticmethod(lambda: None)

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """A full disk must not fill the terminal as well."""
        del record
        self.lost()


class _Foreign(logging.Handler):
    """Takes over what libraries log as a warning or worse."""

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a library's line as one of ours."""
        self._log.log(
            record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info
        )
