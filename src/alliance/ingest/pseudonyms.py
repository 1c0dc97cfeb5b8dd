"""Keyed pseudonyms: the clinics' ids leave the intake only as HMAC-SHA256 of (site, id).

Without the key nobody can find out by trial which id a pseudonym stands for; with the private
folder the lab can look each one up again.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import hmac
import io
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from alliance import files
from alliance.errors import DataError

KEY_FILE, LOOKUP = "pseudonym.key", "ids_"
KEY_BYTES = 32
DIGITS = 16  # 64 bits: two of a million ids share a pseudonym with probability 3e-8

# ASSUME a simulated cohort has nobody to protect: its key is public, so that every machine makes
# the same pseudonyms and thereby the same bytes.
SIMULATED_KEY = hashlib.sha256(b"alliance: public key of simulated cohorts").digest()


def key_of(private_folder: str | Path, simulated: bool) -> bytes:
    """Return the cohort's key; at first use it is made, readable by its owner alone.

    Raises
    ------
    DataError
        The key file exists but is not a key.
    """
    if simulated:
        return SIMULATED_KEY
    draw_key(private_folder)
    path = Path(private_folder) / KEY_FILE
    os.chmod(path, 0o600)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        msg = (
            f"{path.as_posix()} does not hold a key. Put the right file back; without it the"
            " pseudonyms of earlier runs cannot be made again."
        )
        raise DataError(msg)
    return key


def draw_key(private_folder: str | Path) -> bool:
    """Draw the cohort's key where there is none; return whether there has been one before.

    Pseudonyms that were given to ids with the lost key cannot be made again.
    """
    folder = Path(private_folder)
    _private(folder)
    if (folder / KEY_FILE).exists():
        return False
    _publish_once(secrets.token_hex(KEY_BYTES).encode("ascii"), folder / KEY_FILE)
    return any(folder.glob(f"{LOOKUP}*.csv"))


def fingerprint_of(private_folder: str | Path) -> str:
    """Return a few signs that tell the key from another and tell nothing about it."""
    path = Path(private_folder) / KEY_FILE
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8] if path.is_file() else ""


def pseudonyms(
    pairs: Iterable[tuple[str, str]], kind: str, key: bytes
) -> dict[tuple[str, str], str]:
    """Return the pseudonym of each (site, id).

    Parameters
    ----------
    pairs
        (site, id) pairs; the same id at two sites gets two pseudonyms.
    kind
        `client` or `therapist`: its first letter opens the pseudonym.
    key
        The cohort's key.
    """
    made = {}
    for site, own_id in pairs:
        message = "\x1f".join((kind, site, own_id)).encode("utf-8")
        digest = hmac.new(key, message, hashlib.sha256).hexdigest()
        made[(site, own_id)] = f"{kind[0]}{digest[:DIGITS]}"
    if len(set(made.values())) != len(made):
        msg = "two ids got the same pseudonym; delete the private key file to draw another key."
        raise DataError(msg)
    return made


def write_lookup(
    private_folder: str | Path, site: str, by_kind: Mapping[str, Mapping[tuple[str, str], str]]
) -> None:
    """Write `ids_<site>.csv` (kind, site, id, pseudonym), readable by its owner alone."""
    folder = Path(private_folder)
    _private(folder)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["kind", "site", "id", "pseudonym"])
    for kind, made in by_kind.items():
        for (own_site, own_id), pseudonym in sorted(made.items()):
            writer.writerow([kind, own_site, files.inert_text(own_id), pseudonym])
    files.write_text(text.getvalue(), folder / f"{LOOKUP}{site}.csv", mode=0o600)


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)


def _publish_once(data: bytes, path: Path) -> None:
    """Write `path` unless another site's job, running beside this one, was first."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(beside, 0o600)
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)  # fails if the name is taken, unlike a rename
    finally:
        Path(beside).unlink(missing_ok=True)
