"""What must not be found out from what is shared: keys, pseudonyms, files that nobody simulated."""

import hashlib
import hmac
from pathlib import Path

import pytest

from alliance.__main__ import _key_notes
from alliance.config.cohort import truth_of
from alliance.errors import DataError
from alliance.ingest import pseudonyms
from alliance.ingest.unchanged import unchanged

N_TRIED = 20_000


def test_a_lost_key_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cohort, private = {"cohort": "lab", "simulated": False}, Path("private", "lab")
    assert list(_key_notes(cohort)) == []  # the first run draws the key
    former = pseudonyms.key_of(private, simulated=False)
    assert list(_key_notes(cohort)) == []
    pseudonyms.write_lookup(private, "clinic", {"client": {("clinic", "1"): "c1"}})
    (private / "pseudonym.key").unlink()
    (told,) = _key_notes(cohort)
    assert "the pseudonyms are others than in all former results" in told
    assert pseudonyms.key_of(private, simulated=False) != former
    assert list(_key_notes(cohort)) == []


def test_another_key_is_another_input():
    """All sites are read anew with it, so that no pseudonym of the old one is left."""
    rules = Path(pseudonyms.__file__).parents[3] / "workflow" / "rules"
    assert "key=key_fingerprint()" in (rules / "ingest.smk").read_text(encoding="utf-8")


def test_the_fingerprint_of_a_key_tells_keys_apart(tmp_path):
    assert pseudonyms.fingerprint_of(tmp_path / "a") == ""
    for name in "ab":
        pseudonyms.key_of(tmp_path / name, simulated=False)
    told = {pseudonyms.fingerprint_of(tmp_path / name) for name in "ab"}
    assert len(told) == 2 and {len(one) for one in told} == {8}


def test_files_that_nobody_simulated_get_a_key_of_their_own(tmp_path, monkeypatch):
    """Whatever the config says: a public key would give every id away."""
    monkeypatch.chdir(tmp_path)
    cohort, raw = {"cohort": "lab", "simulated": True}, Path("data", "raw", "lab")
    raw.mkdir(parents=True)
    assert truth_of(cohort, raw) is None
    (told,) = _key_notes(cohort)
    assert "holds no truth.json" in told
    key = bytes.fromhex(Path("private", "lab", "pseudonym.key").read_text())
    assert key != pseudonyms.SIMULATED_KEY
    (raw / "truth.json").write_text("{}")
    assert truth_of(cohort, raw) == raw / "truth.json"
    assert truth_of(cohort | {"simulated": False}, raw) is None
    assert list(_key_notes(cohort)) == []


def test_a_dictionary_does_not_find_the_ids(tmp_path):
    """With the code, the public key, the site's name and every likely id, but without the key."""
    key = pseudonyms.key_of(tmp_path, simulated=False)
    ids = [str(number) for number in range(N_TRIED)]
    shared = pseudonyms.pseudonyms([("clinic", one) for one in ids[::100]], "client", key)
    known = {name[1:] for name in shared.values()}
    tried = set()
    for one in ids:
        texts = [one, f"clinic:{one}", f"clinic{one}", f"client\x1fclinic\x1f{one}"]
        for text in map(str.encode, texts):
            tried |= {hashlib.new(kind, text).hexdigest() for kind in ("md5", "sha1", "sha256")}
            for guess in (pseudonyms.SIMULATED_KEY, b"", b"alliance", b"clinic"):
                tried.add(hmac.new(guess, text, "sha256").hexdigest())
    assert not known & {digest[: pseudonyms.DIGITS] for digest in tried}
    # the attack is one: with the key it finds every id
    message = "\x1f".join(("client", "clinic", ids[0])).encode()
    assert hmac.new(key, message, "sha256").hexdigest()[: pseudonyms.DIGITS] in known


@pytest.mark.parametrize("change", ["written", "gone", "not there before"])
def test_a_file_that_changes_while_it_is_read_stops_the_site(tmp_path, change):
    path = tmp_path / "sessions.csv"
    if change != "not there before":
        path.write_text("id,nr\n1,1\n")
    with pytest.raises(DataError, match="changed while it was read") as told, unchanged([path]):
        path.unlink() if change == "gone" else path.write_text("id,nr\n1,1\n2,1\n")
    assert "run the same command again" in str(told.value)
    with unchanged([path]):
        pass
