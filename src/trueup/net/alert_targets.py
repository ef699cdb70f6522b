"""Where alerts go: addresses from settings, each of them a secret, and the channel behind each.

An address is one of the many that the library apprise understands
(``tgram://…``, ``mailto://…``, ``slack://…``, ``json://…``).  It holds a password, so it
lives where keys live and is never shown; people see a number and the service.

    TRUEUP_ALERT_URLS        the addresses, separated by spaces or line breaks
    TRUEUP_ALERT_URLS_FILE   a file with one address a line, readable by its owner only
    the keyring              user name ``alerts`` under TRUEUP_KEYRING_SERVICE
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, cast

from trueup.core.alerts import Severity
from trueup.core.errors import ConfigError
from trueup.core.redaction import Redactor
from trueup.net.credentials import SECRET_FOLDERS, Keyring, read_secret_file
from trueup.net.secret import Secret

URLS_VARIABLE: Final = "TRUEUP_ALERT_URLS"
PING_VARIABLE: Final = "TRUEUP_PING_URL"
KEYRING_USER: Final = "alerts"

_TARGETS_MAX: Final = 20
_WHERE: Final = "Addresses look like tgram://… or mailto://…; see the guide on alerts."


class Channel(Protocol):
    """A way to reach a person.  May be slow; may be used from one thread at a time."""

    @property
    def name(self) -> str:
        """The number and the service, without anything secret."""
        ...

    def deliver(self, title: str, body: str, severity: Severity) -> str:
        """Send a message.  Returns why it could not be delivered; empty when it was."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """An address, and where it was found.  Safe to print."""

    number: int
    came_from: str
    address: Secret


def read_targets(
    environment: Mapping[str, str],
    *,
    urls_file: str = "",
    keyring_service: str = "",
    keyring: Keyring | None = None,
) -> tuple[Target, ...]:
    """Every address that is set, in the order: variable, files, keyring.

    Raises `ConfigError` for a file that others can read and for too many addresses.
    """
    found: list[tuple[str, str]] = []
    text = environment.get(URLS_VARIABLE, "")
    found += [(URLS_VARIABLE, each) for each in text.split()]
    named = f"{URLS_VARIABLE}_FILE"
    for name, path in ((named, environment.get(named, "")), ("alerts.urls_file", urls_file)):
        if path:
            secret = read_secret_file(path, name=name, secret_folders=_folders(environment))
            found += [(name, each) for each in _lines(secret)]
    if keyring_service:
        found += [("the keyring", each) for each in _from_keyring(keyring_service, keyring)]
    if len(found) > _TARGETS_MAX:
        raise ConfigError(
            f"{len(found)} addresses for alerts are set; {_TARGETS_MAX} are the most",
            remedy="Let one of them be a group of your messenger.",
        )
    return tuple(
        Target(number, came_from, Secret(address))
        for number, (came_from, address) in enumerate(found, start=1)
    )


def read_ping_address(environment: Mapping[str, str], *, url_file: str = "") -> Secret | None:
    """The address of the outside dead-man's switch; `None` where none is set."""
    text = environment.get(PING_VARIABLE, "").strip()
    named = f"{PING_VARIABLE}_FILE"
    for name, path in ((named, environment.get(named, "")), ("alerts.ping_url_file", url_file)):
        if path and not text:
            folders = _folders(environment)
            lines = _lines(read_secret_file(path, name=name, secret_folders=folders))
            text = lines[0] if lines else ""
    if not text:
        return None
    if not text.startswith(("https://", "http://")):
        raise ConfigError(
            "the address of the dead-man's switch is no web address",
            remedy="It begins with https://, as the service shows it.",
        )
    return Secret(text)


def open_channels(targets: Sequence[Target]) -> tuple[Channel, ...]:
    """A channel for each target.

    Raises `ConfigError` when apprise is not installed, or does not understand an address.
    """
    return tuple(AppriseChannel(each) for each in targets)


class AppriseChannel:
    """One address, served by apprise."""

    def __init__(self, target: Target) -> None:
        apprise = _apprise()
        asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, app_id="trueup")
        self._service: Any = apprise.Apprise(asset=asset)
        address = target.address.reveal().decode("utf-8", "replace")
        with _Reasons() as reasons, warnings.catch_warnings():
            # What its services import, when they are first named, is not ours to mend.
            warnings.simplefilter("ignore", DeprecationWarning)
            understood = bool(self._service.add(address))
        if not understood:
            raise ConfigError(
                f"address {target.number} of {target.came_from} is not understood{reasons.words(address)}",
                remedy=_WHERE,
            )
        self._redactor = Redactor(_secrets(address))
        self._address = target.address
        self._name = f"{target.number} {self._service[0].service_name}"

    @property
    def name(self) -> str:
        """The number and the service."""
        return self._name

    def deliver(self, title: str, body: str, severity: Severity) -> str:
        """Send a message, once; apprise has time limits of its own."""
        kind = {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}.get(severity, "info")
        with _Reasons() as reasons:
            try:
                done = bool(self._service.notify(title=title, body=body, notify_type=kind))
            except Exception as error:  # noqa: BLE001  # a hundred services, each with its own errors
                return self._redactor.text(f"{type(error).__name__}: {error}")
        if done:
            return ""
        address = self._address.reveal().decode("utf-8", "replace")
        return "the service did not take it" + reasons.words(address)


class _Reasons(logging.Handler):
    """Hears what apprise logs while it works, so that nothing of it is printed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.append(record.getMessage())

    def words(self, address: str) -> str:
        """The last reason, without the address."""
        if not self._lines:
            return ""
        return f" ({Redactor(_secrets(address)).text(self._lines[-1])})"

    def __enter__(self) -> Self:
        logger = logging.getLogger("apprise")
        logger.addHandler(self)
        logger.propagate = False
        return self

    def __exit__(self, *ended: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def _secrets(address: str) -> list[str]:
    """An address, and what stands in it: services name parts of it in their errors."""
    parts = address.partition("://")[2]
    for mark in "/@:?&=#":
        parts = parts.replace(mark, " ")
    return [address, *parts.split()]


def _apprise() -> Any:  # noqa: ANN401  # an extra without types of its own
    try:
        return importlib.import_module("apprise")
    except ImportError:
        raise ConfigError(
            "addresses for alerts are set, but the package apprise is not installed",
            remedy="pip install 'trueup[alerts]'",
        ) from None


def _folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    systemd = environment.get("CREDENTIALS_DIRECTORY", "")
    return (*SECRET_FOLDERS, Path(systemd)) if systemd else SECRET_FOLDERS


def _lines(secret: Secret) -> list[str]:
    text = secret.reveal().decode("utf-8", "replace")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _from_keyring(service: str, keyring: Keyring | None) -> list[str]:
    if keyring is None:
        try:
            keyring = cast("Keyring", importlib.import_module("keyring"))
        except ImportError:
            return []
    try:
        found = keyring.get_password(service, KEYRING_USER)
    except Exception:  # noqa: BLE001  # each of its many backends has errors of its own
        return []
    return (found or "").split()
