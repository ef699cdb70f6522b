"""Which key is taken from which setting, and what is refused."""

from __future__ import annotations

import base64
import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from loopback import NOON

from trueup.core.errors import ConfigError
from trueup.net.credentials import (
    Credentials,
    CredentialSettings,
    explicit_settings,
    load_credentials,
    read_settings,
)
from trueup.net.keys import fingerprint
from trueup.net.secret import Secret
from trueup.net.signer import BearerToken, Ed25519Signer, RsaSigner
from trueup.net.venues import Venue

KEY_ID = "01234567-89ab-cdef-0123-456789abcdef"
OTHER_ID = "fedcba98-7654-3210-fedc-ba9876543210"


def load(environment: dict[str, str], venue: Venue = Venue.PROD) -> Credentials | None:
    return load_credentials(read_settings(environment), venue)


def loaded(environment: dict[str, str], venue: Venue = Venue.PROD) -> Credentials:
    credentials = load(environment, venue)
    assert credentials is not None
    return credentials


def private_file(
    folder: Path, content: bytes, *, name: str = "other.pem", mode: int = 0o600
) -> str:
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_nothing_given_is_no_credentials() -> None:
    assert load({}) is None
    assert load({"KALSHI_API_KEY_ID": "  ", "KALSHI_PRIVATE_KEY_PATH": ""}) is None


@pytest.mark.parametrize("id_name", ["KALSHI_API_KEY_ID", "KALSHI_KEY_ID", "KALSHI_API_KEY"])
@pytest.mark.parametrize(
    "key_name",
    [
        "KALSHI_PRIVATE_KEY_PATH",
        "KALSHI_PRIVATE_KEY_FILE",
        "KALSHI_PRIVATE_KEY",
        "KALSHI_PRIVATE_KEY_B64",
        "KALSHI_PRIVATE_KEY_BASE64",
    ],
)
def test_every_pair_of_names_works(
    rsa_file: Path, rsa_pem: bytes, rsa_key: RSAPrivateKey, *, id_name: str, key_name: str
) -> None:
    values = {
        "KALSHI_PRIVATE_KEY_PATH": str(rsa_file),
        "KALSHI_PRIVATE_KEY_FILE": str(rsa_file),
        "KALSHI_PRIVATE_KEY": rsa_pem.decode().replace("\n", "\\n"),
        "KALSHI_PRIVATE_KEY_B64": base64.b64encode(rsa_pem).decode(),
        "KALSHI_PRIVATE_KEY_BASE64": base64.b64encode(rsa_pem).decode(),
    }

    credentials = loaded({id_name: KEY_ID, key_name: values[key_name]})

    assert isinstance(credentials.signer, RsaSigner)
    assert credentials.signer.key_id == KEY_ID
    assert credentials.fingerprint == fingerprint(rsa_key)
    assert credentials.came_from == key_name


def test_kind_of_the_signer_follows_the_key(ed25519_pem: bytes) -> None:
    credentials = loaded({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": ed25519_pem.decode()})

    assert isinstance(credentials.signer, Ed25519Signer)
    assert credentials.signer.kind == "Ed25519"


def test_api_key_alone_is_a_bearer_token() -> None:
    credentials = loaded({"KALSHI_API_KEY": " s3cret-token\n"})

    assert isinstance(credentials.signer, BearerToken)
    assert credentials.signer.only_named_hosts


def test_encrypted_key_takes_its_passphrase_from_the_environment_or_a_file(
    tmp_path: Path, rsa_key: RSAPrivateKey
) -> None:
    pem = rsa_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    both = {
        "KALSHI_API_KEY_ID": KEY_ID,
        "KALSHI_PRIVATE_KEY_PATH": private_file(tmp_path, pem),
    }
    file = private_file(tmp_path, b"open sesame\n", name="passphrase")

    assert loaded(both | {"KALSHI_PRIVATE_KEY_PASSPHRASE": "open sesame"})
    assert loaded(both | {"KALSHI_PRIVATE_KEY_PASSPHRASE_FILE": file})
    with pytest.raises(ConfigError, match="passphrase is wrong"):
        load(both | {"KALSHI_PRIVATE_KEY_PASSPHRASE": "x"})
    with pytest.raises(ConfigError, match="no passphrase"):
        load(both)
    with pytest.raises(ConfigError, match="different passphrases"):
        load(
            both
            | {
                "KALSHI_PRIVATE_KEY_PASSPHRASE": "x",
                "KALSHI_PRIVATE_KEY_PASSPHRASE_FILE": file,
            }
        )


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"KALSHI_API_KEY_ID": KEY_ID}, "KALSHI_API_KEY_ID is set, but no private key"),
        ({"KALSHI_KEY_ID": KEY_ID, "KALSHI_API_KEY": "x"}, "no private key is"),
        ({"KALSHI_PRIVATE_KEY": "PEM"}, "no key id"),
        ({"KALSHI_PRIVATE_KEY_PASSPHRASE": "x"}, "no private key is"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_KEY_ID": OTHER_ID, "KALSHI_PRIVATE_KEY": "PEM"}, "different key ids"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_API_KEY": OTHER_ID, "KALSHI_PRIVATE_KEY": "PEM"}, "different key ids"),
        ({"KALSHI_API_KEY_ID": "PEM", "KALSHI_PRIVATE_KEY": "PEM"}, "holds a private key"),
        ({"KALSHI_API_KEY_ID": "a\r\nHost: x", "KALSHI_PRIVATE_KEY": "PEM"}, "is not a key id"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": "PEM"}, "should name a file, but holds a key"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": "/home/me/k.pem"}, "looks like a path"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": "/no/such/file"}, "/no/such/file does not exist"),
        ({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": "/"}, "is a folder"),
        ({"KALSHI_API_KEY": "two words"}, "no bearer token"),
    ],
)  # fmt: skip
def test_incomplete_or_contradictory_settings_are_refused(
    rsa_pem: bytes, environment: dict[str, str], says: str
) -> None:
    filled = {name: value.replace("PEM", rsa_pem.decode()) for name, value in environment.items()}

    with pytest.raises(ConfigError, match=says) as caught:
        load(filled)

    assert caught.value.remedy


def test_two_different_keys_are_refused_the_same_key_twice_is_not(
    rsa_file: Path, rsa_pem: bytes, ed25519_pem: bytes
) -> None:
    both = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": str(rsa_file)}

    assert loaded(both | {"KALSHI_PRIVATE_KEY": rsa_pem.decode()})
    with pytest.raises(
        ConfigError, match="KALSHI_PRIVATE_KEY_PATH and KALSHI_PRIVATE_KEY hold different private"
    ):
        load(both | {"KALSHI_PRIVATE_KEY": ed25519_pem.decode()})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o620])
def test_key_file_open_to_others_is_refused_with_the_remedy(rsa_file: Path, mode: int) -> None:
    rsa_file.chmod(mode)
    environment = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": str(rsa_file)}

    with pytest.raises(ConfigError, match="can be read by other users") as caught:
        load(environment)

    assert caught.value.remedy == f"chmod 600 {rsa_file}"
    rsa_file.chmod(0o600)
    assert loaded(environment)


def test_container_secret_may_be_readable(tmp_path: Path, rsa_pem: bytes) -> None:
    secrets = tmp_path / "run" / "secrets"
    secrets.mkdir(parents=True)
    key = private_file(secrets, rsa_pem, name="kalshi_key", mode=0o444)
    key_id = private_file(secrets, KEY_ID.encode() + b"\n", name="kalshi_id", mode=0o444)
    environment = {"KALSHI_API_KEY_ID_FILE": key_id, "KALSHI_PRIVATE_KEY_FILE": key}

    with pytest.raises(ConfigError, match="other users"):
        load(environment)
    credentials = loaded(environment | {"CREDENTIALS_DIRECTORY": str(secrets)})

    assert credentials.signer.key_id == KEY_ID


def test_link_from_a_secret_folder_does_not_excuse_its_target(
    tmp_path: Path, rsa_pem: bytes
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    target = private_file(tmp_path, rsa_pem, mode=0o644)
    (secrets / "key").symlink_to(target)

    with pytest.raises(ConfigError, match="other users"):
        load(
            {
                "KALSHI_API_KEY_ID": KEY_ID,
                "KALSHI_PRIVATE_KEY_FILE": str(secrets / "key"),
                "CREDENTIALS_DIRECTORY": str(secrets),
            }
        )


def test_key_may_come_through_a_pipe(tmp_path: Path, rsa_pem: bytes) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=pipe.write_bytes, args=(rsa_pem,))
    writer.start()

    credentials = loaded({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": str(pipe)})

    writer.join()
    assert credentials.signer.kind == "RSA 2048"


def test_huge_file_is_no_key(tmp_path: Path) -> None:
    path = private_file(tmp_path, b"x" * 100_000)

    with pytest.raises(ConfigError, match="too large"):
        load({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": path})


def test_demo_has_credentials_of_its_own(rsa_pem: bytes, ed25519_pem: bytes) -> None:
    environment = {
        "KALSHI_API_KEY_ID": KEY_ID,
        "KALSHI_PRIVATE_KEY": rsa_pem.decode(),
        "KALSHI_DEMO_KEY_ID": OTHER_ID,
        "KALSHI_DEMO_PRIVATE_KEY": ed25519_pem.decode(),
    }

    assert loaded(environment, Venue.PROD).signer.key_id == KEY_ID
    assert loaded(environment, Venue.DEMO).signer.key_id == OTHER_ID
    assert loaded(environment, Venue.DEMO).came_from == "KALSHI_DEMO_PRIVATE_KEY"


def test_demo_takes_the_common_credentials_when_it_has_none(rsa_pem: bytes) -> None:
    environment = {"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": rsa_pem.decode()}

    assert loaded(environment, Venue.DEMO).signer.key_id == KEY_ID


def test_half_a_demo_pair_is_not_filled_up_with_the_other_key(rsa_pem: bytes) -> None:
    environment = {
        "KALSHI_API_KEY_ID": KEY_ID,
        "KALSHI_PRIVATE_KEY": rsa_pem.decode(),
        "KALSHI_DEMO_KEY_ID": OTHER_ID,
    }

    with pytest.raises(ConfigError, match="KALSHI_DEMO_KEY_ID is set, but no private key"):
        load(environment, Venue.DEMO)


def test_demo_key_alone_is_not_used_on_prod(rsa_pem: bytes) -> None:
    environment = {"KALSHI_DEMO_KEY_ID": OTHER_ID, "KALSHI_DEMO_PRIVATE_KEY": rsa_pem.decode()}

    with pytest.raises(ConfigError, match="only keys of the demo are given") as caught:
        load(environment, Venue.PROD)

    assert "KALSHI_ENV=demo" in caught.value.remedy


def test_explicit_settings_replace_the_environment(
    rsa_file: Path, ed25519_pem: bytes, rsa_key: RSAPrivateKey
) -> None:
    base = read_settings({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY": ed25519_pem.decode()})
    settings = explicit_settings(key_id=OTHER_ID, private_key_path=str(rsa_file), base=base)

    credentials = load_credentials(settings, Venue.DEMO)

    assert credentials is not None
    assert credentials.signer.key_id == OTHER_ID
    assert credentials.fingerprint == fingerprint(rsa_key)
    assert explicit_settings(base=base) is base


class Keyring:
    def __init__(self, entries: dict[tuple[str, str], str]) -> None:
        self._entries = entries

    def get_password(self, service_name: str, username: str, /) -> str | None:
        return self._entries.get((service_name, username))


class LockedKeyring:
    def get_password(self, service_name: str, username: str, /) -> str | None:
        raise RuntimeError(service_name + username)


def test_keyring_is_asked_when_it_is_named(ed25519_pem: bytes) -> None:
    settings = read_settings({"KALSHI_API_KEY_ID": KEY_ID, "TRUEUP_KEYRING_SERVICE": "trueup"})
    keyring = Keyring({("trueup", KEY_ID): ed25519_pem.decode()})

    credentials = load_credentials(settings, Venue.PROD, keyring=keyring)

    assert credentials is not None
    assert credentials.signer.kind == "Ed25519"
    with pytest.raises(ConfigError, match="nothing is stored for this key id"):
        load_credentials(settings, Venue.PROD, keyring=Keyring({}))
    with pytest.raises(ConfigError, match="RuntimeError"):
        load_credentials(settings, Venue.PROD, keyring=LockedKeyring())


def test_file_beats_the_keyring(rsa_file: Path) -> None:
    settings = read_settings(
        {
            "KALSHI_API_KEY_ID": KEY_ID,
            "TRUEUP_KEYRING_SERVICE": "trueup",
            "KALSHI_PRIVATE_KEY_PATH": str(rsa_file),
        }
    )

    assert load_credentials(settings, Venue.PROD, keyring=LockedKeyring()) is not None


def test_settings_name_what_is_present_without_telling_it(rsa_pem: bytes) -> None:
    settings = read_settings(
        {"KALSHI_API_KEY": "s3cret", "KALSHI_DEMO_PRIVATE_KEY": rsa_pem.decode(), "HOME": "/root"}
    )

    assert settings.names == ("KALSHI_API_KEY", "KALSHI_DEMO_PRIVATE_KEY")
    assert CredentialSettings().names == ()


def test_key_is_read_once(rsa_file: Path) -> None:
    credentials = loaded({"KALSHI_API_KEY_ID": KEY_ID, "KALSHI_PRIVATE_KEY_PATH": str(rsa_file)})
    rsa_file.unlink()

    assert credentials.signer.headers("GET", "/trade-api/v2/x", NOON)


def test_ed25519_signer_shows_only_the_end_of_the_key_id(ed25519_key: Ed25519PrivateKey) -> None:
    assert repr(Ed25519Signer(KEY_ID, ed25519_key)) == "Ed25519Signer(…cdef)"


def test_secret_passphrase_is_not_a_message() -> None:
    assert "open sesame" not in f"{Secret('open sesame')}"
