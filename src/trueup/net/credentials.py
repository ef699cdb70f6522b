"""Whose key it is: from settings and environment variables to a signer.

Bots name their variables in many ways, so the common ones are understood; one
of each is documented, the others are aliases:

    key id        KALSHI_API_KEY_ID · KALSHI_KEY_ID · KALSHI_API_KEY beside a private key
    private key   KALSHI_PRIVATE_KEY_PATH · KALSHI_PRIVATE_KEY_FILE (a path)
                  KALSHI_PRIVATE_KEY · KALSHI_PRIVATE_KEY_B64 · KALSHI_PRIVATE_KEY_BASE64
                  TRUEUP_KEYRING_SERVICE (the system keyring, user name = key id)
    passphrase    KALSHI_PRIVATE_KEY_PASSPHRASE
    bearer token  KALSHI_API_KEY alone: only to a host that is allowed by name
    demo only     KALSHI_DEMO_KEY_ID, KALSHI_DEMO_PRIVATE_KEY_PATH and so on

``NAME_FILE`` names a file that holds the value (container secrets).  Two
steps: `read_settings` takes the environment and wraps what is secret, without
ever failing; `load_credentials` works on the settings only, so that no
traceback from here has the environment in its frames.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from trueup.core.errors import ConfigError
from trueup.net.keys import PrivateKey, Problem, fingerprint, load_key, looks_like_key
from trueup.net.secret import Secret
from trueup.net.signer import BearerToken, Signer, signer_for
from trueup.net.venues import Venue

SECRET_FOLDERS: Final = (Path("/run/secrets"), Path("/var/run/secrets"))
"""Where containers mount secrets; the mount, not the file mode, guards them."""

_FILE_BYTES_MAX: Final = 64 * 1024
_READABLE_BY_OTHERS: Final = 0o077
_PATH_SHOWN_MAX: Final = 500
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_TOKEN: Final = re.compile(rb"[\x21-\x7e]+\Z")

_SET_KEY: Final = (
    "Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH (the file with the private key)."
)


class Keyring(Protocol):
    """The one function of the `keyring` package that is used."""

    def get_password(self, service_name: str, username: str, /) -> str | None:
        """The stored secret, None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """One setting with the name it came under.

    For a path the value is the path, otherwise what is secret or not so secret
    itself; it is wrapped either way, since people paste keys into the wrong variable.
    """

    name: str
    value: Secret
    is_path: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSettings:
    """Everything that was given about keys, unchecked.  Safe to print."""

    key_ids: tuple[Given, ...] = ()
    private_keys: tuple[Given, ...] = ()
    passphrases: tuple[Given, ...] = ()
    ambiguous: tuple[Given, ...] = ()
    keyring_service: str = ""
    secret_folders: tuple[Path, ...] = SECRET_FOLDERS
    demo: CredentialSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all settings that are present, demo ones included."""
        own = (*self.key_ids, *self.private_keys, *self.passphrases, *self.ambiguous)
        keyring = ("TRUEUP_KEYRING_SERVICE",) if self.keyring_service else ()
        demo = self.demo.names if self.demo is not None else ()
        return (*(given.name for given in own), *keyring, *demo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A signer, and where it came from, in words."""

    signer: Signer
    came_from: str
    fingerprint: str = ""


def read_settings(environment: Mapping[str, str]) -> CredentialSettings:
    """Collect what the environment says about keys.  Reads no file and checks nothing."""
    folders = SECRET_FOLDERS
    systemd = environment.get("CREDENTIALS_DIRECTORY", "")
    if systemd:
        folders = (*folders, Path(systemd))
    demo = _read_group(environment, "KALSHI_DEMO_", folders=folders)
    return _read_group(environment, "KALSHI_", folders=folders, demo=demo)


def explicit_settings(
    *, key_id: str = "", private_key_path: str = "", base: CredentialSettings | None = None
) -> CredentialSettings:
    """Settings from options or a config file; what is given here replaces `base`."""
    base = base or CredentialSettings()
    if not key_id and not private_key_path:
        return base
    key_ids = (Given("the key id", Secret(key_id)),) if key_id else base.key_ids
    private_keys = (
        (Given("the private key path", Secret(private_key_path), is_path=True),)
        if private_key_path
        else base.private_keys
    )
    return CredentialSettings(
        key_ids=key_ids,
        private_keys=private_keys,
        passphrases=base.passphrases,
        ambiguous=() if key_id else base.ambiguous,
        keyring_service="" if private_key_path else base.keyring_service,
        secret_folders=base.secret_folders,
    )


def load_credentials(
    settings: CredentialSettings, venue: Venue, *, keyring: Keyring | None = None
) -> Credentials | None:
    """The signer for `venue`; None when nothing was given at all.

    On the demo the demo's own settings win where there are any.  Raises
    `ConfigError` for everything that is incomplete, contradictory or unreadable.
    """
    demo = settings.demo
    if venue is Venue.DEMO and demo is not None and demo.names:
        settings = demo
    elif demo is not None and demo.names and not _own_names(settings):
        raise ConfigError(
            f"only keys of the demo are given ({', '.join(demo.names)}), but the venue is {venue}",
            remedy=f"Keys of the demo work on the demo only: set KALSHI_ENV=demo, or {_SET_KEY[4:]}"
            if venue is Venue.PROD
            else "Set KALSHI_ENV=demo to use them, or unset them for the sandbox.",
        )
    if settings.private_keys or settings.keyring_service:
        return _with_private_key(settings, keyring)
    if settings.key_ids:
        raise ConfigError(
            f"{settings.key_ids[0].name} is set, but no private key is", remedy=_SET_KEY
        )
    if settings.ambiguous:
        return _with_bearer_token(settings)
    if settings.passphrases:
        raise ConfigError("a passphrase is set, but no private key is", remedy=_SET_KEY)
    return None


def read_secret_file(path_text: str, *, name: str, secret_folders: Sequence[Path]) -> Secret:
    """The content of a file that only its owner may read.

    Files in a container's secret folders may have any mode.  Raises
    `ConfigError`; the message shows the path but never anything that looks
    like a key pasted in its place.
    """
    content = _read_file(_checked_path(path_text, name), secret_folders)
    if isinstance(content, Problem):
        raise ConfigError(f"{name}: {content.says}", remedy=content.remedy)
    return content


def _read_file(path: Path, secret_folders: Sequence[Path]) -> Secret | Problem:
    try:
        with path.open("rb") as file:
            problem = _file_problem(path, os.fstat(file.fileno()), secret_folders)
            if problem is not None:
                return problem
            content = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        return _open_problem(path, error)
    if len(content) > _FILE_BYTES_MAX:
        return Problem(f"{path} is too large for a key", "Name the file of the private key.")
    return Secret(content)


def _own_names(settings: CredentialSettings) -> tuple[str, ...]:
    return tuple(
        given.name for given in (*settings.key_ids, *settings.private_keys, *settings.ambiguous)
    ) + ((settings.keyring_service,) if settings.keyring_service else ())


def _read_group(
    environment: Mapping[str, str],
    prefix: str,
    *,
    folders: tuple[Path, ...],
    demo: CredentialSettings | None = None,
) -> CredentialSettings:
    def present(*names: str, is_path: bool = False) -> tuple[Given, ...]:
        return tuple(
            Given(prefix + name, Secret(value), is_path=is_path)
            for name in names
            if (value := environment.get(prefix + name, "").strip())
        )

    return CredentialSettings(
        key_ids=present("API_KEY_ID", "KEY_ID")
        + present("API_KEY_ID_FILE", "KEY_ID_FILE", is_path=True),
        private_keys=present("PRIVATE_KEY_PATH", "PRIVATE_KEY_FILE", is_path=True)
        + present("PRIVATE_KEY", "PRIVATE_KEY_B64", "PRIVATE_KEY_BASE64"),
        passphrases=present("PRIVATE_KEY_PASSPHRASE")
        + present("PRIVATE_KEY_PASSPHRASE_FILE", is_path=True),
        ambiguous=present("API_KEY") + present("API_KEY_FILE", is_path=True),
        keyring_service="" if demo is None else environment.get("TRUEUP_KEYRING_SERVICE", ""),
        secret_folders=folders,
        demo=demo,
    )


def _with_private_key(settings: CredentialSettings, keyring: Keyring | None) -> Credentials:
    key_id = _one_key_id(settings)
    passphrase = _one_passphrase(settings)
    if not settings.private_keys:
        service = settings.keyring_service
        material = _from_keyring(service, key_id, keyring)
        origin = f"the key in the keyring ({service})"
        key = load_key(material, passphrase=passphrase, origin=origin)
        return _credentials(key_id, key, origin)
    loaded: list[tuple[str, PrivateKey]] = []
    for given in settings.private_keys:
        material = _content(given, settings)
        if not given.is_path:
            _refuse_path_as_key(given)
        loaded.append((given.name, load_key(material, passphrase=passphrase, origin=given.name)))
    if len({fingerprint(key) for _, key in loaded}) > 1:
        names = " and ".join(name for name, _ in loaded)
        raise ConfigError(f"{names} hold different private keys", remedy="Keep one of them.")
    name, key = loaded[0]
    return _credentials(key_id, key, name)


def _credentials(key_id: str, key: PrivateKey, came_from: str) -> Credentials:
    return Credentials(
        signer=signer_for(key_id, key), came_from=came_from, fingerprint=fingerprint(key)
    )


def _with_bearer_token(settings: CredentialSettings) -> Credentials:
    given = settings.ambiguous[0]
    token = Secret(_content(given, settings).reveal().strip())
    if not _TOKEN.match(token.reveal()):
        raise ConfigError(
            f"{given.name} is no bearer token: it is empty or has spaces or line breaks in it",
            remedy=f"If it is a key id, the private key is missing. {_SET_KEY}",
        )
    return Credentials(signer=BearerToken(token), came_from=given.name)


def _one_key_id(settings: CredentialSettings) -> str:
    candidates = (*settings.key_ids, *settings.ambiguous)
    if not candidates:
        raise ConfigError(
            "a private key is given, but no key id", remedy="Set KALSHI_API_KEY_ID (a UUID)."
        )
    values: dict[str, str] = {}
    for given in candidates:
        found = _read_key_id(_content(given, settings))
        if isinstance(found, Problem):
            raise ConfigError(f"{given.name} {found.says}", remedy=found.remedy)
        values[given.name] = found
    if len(set(values.values())) > 1:
        raise ConfigError(
            f"{' and '.join(values)} hold different key ids", remedy="Keep one of them."
        )
    return next(iter(values.values()))


def _read_key_id(value: Secret) -> str | Problem:
    text = value.reveal().decode("utf-8", "replace").strip(" \t\r\n'\"")
    remedy = "A key id looks like 01234567-89ab-cdef-0123-456789abcdef."
    if looks_like_key(text):
        return Problem("should be the key id, but holds a private key", remedy)
    return text if _KEY_ID.match(text) else Problem("is not a key id", remedy)


def _one_passphrase(settings: CredentialSettings) -> Secret | None:
    found = [
        # A file usually ends with a line break that is no part of the passphrase.
        Secret(_content(given, settings).reveal().rstrip(b"\r\n"))
        for given in settings.passphrases
    ]
    if len({passphrase.reveal() for passphrase in found}) > 1:
        names = " and ".join(given.name for given in settings.passphrases)
        raise ConfigError(f"{names} hold different passphrases", remedy="Keep one of them.")
    return found[0] if found else None


def _content(given: Given, settings: CredentialSettings) -> Secret:
    if not given.is_path:
        return given.value
    return _file_of(given, settings.secret_folders)


def _file_of(given: Given, folders: Sequence[Path]) -> Secret:
    if looks_like_key(given.value.reveal().decode("utf-8", "replace")):
        raise ConfigError(
            f"{given.name} should name a file, but holds a key itself",
            remedy="Put the key into a file and name that, or set KALSHI_PRIVATE_KEY instead.",
        )
    return read_secret_file(
        given.value.reveal().decode("utf-8", "replace"), name=given.name, secret_folders=folders
    )


def _refuse_path_as_key(given: Given) -> None:
    if _looks_like_path(given.value):
        prefix = given.name.partition("PRIVATE_KEY")[0]
        raise ConfigError(
            f"{given.name} should hold the key itself, but looks like a path",
            remedy=f"Put the path into {prefix}PRIVATE_KEY_PATH.",
        )


def _looks_like_path(value: Secret) -> bool:
    text = value.reveal()
    return len(text) <= _PATH_SHOWN_MAX and text.endswith((b".pem", b".key", b".txt"))


def _checked_path(text: str, name: str) -> Path:
    if not text.isprintable() or len(text) > _PATH_SHOWN_MAX:
        raise ConfigError(f"{name} does not name a file", remedy="Give the path of the file.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _file_problem(path: Path, status: os.stat_result, folders: Sequence[Path]) -> Problem | None:
    if stat.S_ISDIR(status.st_mode):
        return Problem(f"{path} is a folder", "Name the file in it.")
    if os.name != "posix" or not stat.S_IMODE(status.st_mode) & _READABLE_BY_OTHERS:
        return None
    real = path.resolve()
    if any(real.is_relative_to(folder.resolve()) for folder in folders):
        return None
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    return Problem(
        f"{path} can be read by other users of this machine (mode {mode}), so it is not used",
        f"chmod 600 {shlex.quote(str(path))}",
    )


def _open_problem(path: Path, error: OSError) -> Problem:
    match error:
        case FileNotFoundError():
            return Problem(f"{path} does not exist", "Check the path.")
        case PermissionError():
            return Problem(
                f"{path} may not be read by this user", "Check the owner of the file (ls -l)."
            )
        case IsADirectoryError():
            return Problem(f"{path} is a folder", "Name the file in it.")
        case _:
            return Problem(f"{path} cannot be read ({error.strerror})", "Check the path.")


def _from_keyring(service: str, key_id: str, keyring: Keyring | None) -> Secret:
    if keyring is None:
        try:
            keyring = cast("Keyring", importlib.import_module("keyring"))
        except ImportError:
            keyring = None
    if keyring is None:
        raise ConfigError(
            "TRUEUP_KEYRING_SERVICE is set, but the keyring package is not installed",
            remedy="pip install 'trueup[keyring]', or use KALSHI_PRIVATE_KEY_PATH.",
        )
    found, reason = _ask_keyring(keyring, service, key_id)
    if found is None:
        raise ConfigError(
            f"the keyring has no key under {service} ({reason})",
            remedy=f"Store it with: keyring set {shlex.quote(service)} KEY_ID, or use "
            "KALSHI_PRIVATE_KEY_PATH.",
        )
    return found


def _ask_keyring(keyring: Keyring, service: str, key_id: str) -> tuple[Secret | None, str]:
    try:
        found = keyring.get_password(service, key_id)
    except Exception as error:  # noqa: BLE001  (each of its many backends has errors of its own)
        return None, type(error).__name__
    return (Secret(found), "") if found else (None, "nothing is stored for this key id")
