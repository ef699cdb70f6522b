"""Who may see the page, and from where.

On the loopback address nobody needs a password: whoever can open it can read the books'
file too.  Everywhere else there must be one.  It is kept as a scrypt hash; guesses are
slowed down; a session is a random cookie that scripts cannot read and other sites cannot
send.  Every request must name a host that is ours (else a page elsewhere could reach a
server on this machine by a name of its own), and whatever changes something, also the
stream over which the page acts, must come from our own origin.

The content policy lets only our own scripts run.  The page library evaluates code that the
server sends, so ``unsafe-eval`` cannot be left out; injected markup can still not run,
because inline scripts need the nonce of the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from trueup.core.errors import ConfigError, writing_remedy
from trueup.core.instant import HOUR, MINUTE, Instant
from trueup.store.private_folder import make_private_folder

SESSION_COOKIE: Final = "trueup-session"
SESSION_LASTS: Final = 12 * HOUR
"""How long a session lives after its last request."""

GUESSES_MAX: Final = 5
"""Wrong passwords per address and window."""
GUESSES_MAX_OF_ALL: Final = 30
GUESS_WINDOW: Final = 5 * MINUTE
_ADDRESSES_MAX: Final = 10_000
_SESSIONS_MAX: Final = 1_000

PASSWORD_LENGTH_MIN: Final = 10
_SCRYPT: Final = {"n": 1 << 15, "r": 8, "p": 1}
_SCRYPT_MEMORY: Final = 64 << 20
_SCHEME: Final = "scrypt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """How the page is protected.

    `password_hash` is empty where everybody who reaches the page may see it.  `api_token`
    opens ``/api`` and ``/metrics`` to programs.
    """

    hosts: frozenset[str]
    password_hash: str = ""
    api_token: str = ""
    user: str = ""
    """Who acts on the page, for the record."""

    @property
    def asks_for_password(self) -> bool:
        """Whether a person must log in."""
        return bool(self.password_hash)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def hash_password(password: str) -> str:
    """The text to keep instead of a password: ``scrypt$salt$hash``.  Raises `ConfigError`."""
    if len(password) < PASSWORD_LENGTH_MIN:
        raise ConfigError(
            f"a password for the page has at least {PASSWORD_LENGTH_MIN} characters",
            remedy="Choose a longer one.",
        )
    salt = os.urandom(16)
    return "$".join((_SCHEME, _text(salt), _text(_derived(password, salt))))


def is_password(password: str, password_hash: str) -> bool:
    """Whether a password is the one; takes as long for a wrong one."""
    scheme, _, rest = password_hash.partition("$")
    salt, _, derived = rest.partition("$")
    if scheme != _SCHEME or not derived:
        return False
    try:
        expected = base64.b64decode(derived, validate=True)
        found = _derived(password, base64.b64decode(salt, validate=True))
    except ValueError:
        return False
    return hmac.compare_digest(found, expected)


def _derived(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, maxmem=_SCRYPT_MEMORY, dklen=32, **_SCRYPT)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def read_password_hash(environment: Mapping[str, str], home: Path) -> str:
    """The hash that is set: in the environment, or in the home's file.  Raises `ConfigError`."""
    given = environment.get("TRUEUP_WEB_PASSWORD_HASH", "")
    path = password_path(home)
    if not given and path.exists():
        try:
            given = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read: {error.strerror}", remedy="Check who owns it."
            ) from error
    if given and not given.startswith(f"{_SCHEME}$"):
        raise ConfigError(
            "the page's password is kept as a hash, and this is none",
            remedy="Make it with `trueup web --set-password`.",
        )
    return given


def password_path(home: Path) -> Path:
    """Where the hash of the page's password lies."""
    return home / "web-password"


def save_password(home: Path, password: str) -> Path:
    """Keep the hash of a password for the page, readable by the owner alone."""
    kept = hash_password(password)
    path = password_path(home)
    try:
        make_private_folder(home)
        part = path.with_name(f".{path.name}.new")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{kept}\n")
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy=writing_remedy(error),
        ) from error
    return path


def host_name(host: str) -> str:
    """The name in a ``Host`` header without its port."""
    name = urlsplit(f"//{host}").hostname
    return (name or "").lower()


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a request comes from a page of ours."""
    found = urlsplit(origin)
    return found.scheme in {"http", "https"} and found.netloc.lower() == host.lower()


@dataclass(slots=True)
class _Guesses:
    at: deque[Instant] = field(default_factory=deque[Instant])


class Sessions:
    """Who has logged in, and who guesses.  Lives in this process only: a restart logs everybody out."""

    def __init__(self) -> None:
        self._seen_at: dict[str, Instant] = {}
        self._guesses: defaultdict[str, _Guesses] = defaultdict(_Guesses)
        self._all = _Guesses()

    def begin(self, now: Instant) -> str:
        """A new session's cookie."""
        self._forget(now)
        cookie = secrets.token_urlsafe(32)
        self._seen_at[cookie] = now
        return cookie

    def knows(self, cookie: str, now: Instant) -> bool:
        """Whether a cookie is a living session; asking keeps it alive."""
        seen = self._seen_at.get(cookie)
        if seen is None or now - seen > SESSION_LASTS:
            self._seen_at.pop(cookie, None)
            return False
        self._seen_at[cookie] = now
        return True

    def end(self, cookie: str) -> None:
        """Log out."""
        self._seen_at.pop(cookie, None)

    def may_guess(self, address: str, now: Instant) -> bool:
        """Whether an address may try a password now."""
        return (
            _recent(self._guesses[address], now) < GUESSES_MAX
            and _recent(self._all, now) < GUESSES_MAX_OF_ALL
        )

    def note_wrong(self, address: str, now: Instant) -> None:
        """Somebody gave a wrong password."""
        if len(self._guesses) > _ADDRESSES_MAX:
            self._guesses.clear()
        self._guesses[address].at.append(now)
        self._all.at.append(now)

    def _forget(self, now: Instant) -> None:
        old = [each for each, seen in self._seen_at.items() if now - seen > SESSION_LASTS]
        for each in old:
            del self._seen_at[each]
        if len(self._seen_at) >= _SESSIONS_MAX:
            del self._seen_at[min(self._seen_at, key=lambda each: self._seen_at[each])]


def _recent(guesses: _Guesses, now: Instant) -> int:
    while guesses.at and now - guesses.at[0] > GUESS_WINDOW:
        guesses.at.popleft()
    return len(guesses.at)


def headers(nonce: str) -> dict[str, str]:
    """The security headers of an answer."""
    policy = (
        "default-src 'none'",
        f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
