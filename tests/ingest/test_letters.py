"""Files of statistics programs whose letters are stored otherwise than they say themselves."""

import io

import pandas as pd
import pyreadstat
import pytest

WRITE = {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}
NAMES = ["Müller", "Jürgen"]


def written(path, change):
    frame = pd.DataFrame({"id": ["P1", "P2"], "th": NAMES, "end": [1.0, 2.0]})
    ending = path.suffix[1:]
    WRITE[ending](frame, str(path))
    path.write_bytes(change(path.read_bytes()))


def as_cp1252(data):
    for name in NAMES:
        data = data.replace(name.encode(), name.encode("cp1252") + b" ")
    return data


def table(ending, **keys):
    return {"file": f"toy.{ending}", "rows": "client", "client": "id", **keys,
            "client_facts": {"therapist": "th"}}  # fmt: skip


def therapists(read):
    return read.clients["therapist"].notna().sum()


@pytest.mark.parametrize("ending", list(WRITE))
def test_letters_stored_otherwise_are_told_and_read_with_encoding(site, ending):
    written(site.raw / f"toy.{ending}", as_cp1252)
    (told,) = site.read(table(ending)).quarantine.to_dict("records")
    assert told["rule"] == "wrong-encoding" and "`encoding`" in told["remedy"]
    assert "cp1252" in told["remedy"] and "the file itself" in told["expected"]
    read = site.read(table(ending, encoding="cp1252"))
    assert therapists(read) == 2 and "wrong-encoding" not in set(read.quarantine["rule"])


@pytest.mark.parametrize("ending", list(WRITE))
def test_utf8_that_is_called_another_is_told(site, ending):
    written(site.raw / f"toy.{ending}", lambda data: data)
    (told,) = site.read(table(ending, encoding="cp1252")).quarantine.to_dict("records")
    assert told["rule"] == "wrong-encoding" and "`encoding: utf-8`" in told["remedy"]
    assert therapists(site.read(table(ending, encoding="utf-8"))) == 2


def test_a_file_that_names_a_wrong_encoding_itself(site):
    path = site.raw / "toy.sav"
    written(path, lambda data: data.replace(b"\x05\x00\x00\x00UTF-8", b"\x05\x00\x00\x00CP932"))
    (told,) = site.read(table("sav")).quarantine.to_dict("records")
    assert "utf-8" in told["expected"] and "`encoding: utf-8`" in told["remedy"]
    assert therapists(site.read(table("sav", encoding="utf-8"))) == 2
    assert pyreadstat.read_sav(io.BytesIO(path.read_bytes()))[1].file_encoding == "CP932"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"/annex/objects/MD5E-s1234--abc.csv\n", "datalad get toy.csv"),
     (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "git lfs pull")],
)  # fmt: skip
def test_pointers_are_told(site, content, words):
    site.csv("toy.csv", content)
    (told,) = site.read({**table("csv"), "file": "toy.csv"}).quarantine.to_dict("records")
    assert told["rule"] == "file-unreadable" and words in told["remedy"]


def test_links_are_told(site, tmp_path):
    (site.raw / "toy.csv").symlink_to("../.git/annex/objects/x/toy.csv")
    (told,) = site.read(table("csv")).quarantine.to_dict("records")
    assert "a link whose content is not here" in told["expected"] and "get" in told["remedy"]
    content = tmp_path / ".git" / "annex" / "objects" / "x" / "toy.csv"
    content.parent.mkdir(parents=True)
    content.write_text("id,th\nP1,T\n")
    (told,) = site.read(table("csv")).quarantine.to_dict("records")
    assert told["rule"] == "file-unreadable" and "unlock toy.csv" in told["remedy"]
    (site.raw / "toy.csv").unlink()
    (site.raw / ".toy.csv.icloud").write_bytes(b"bplist00")
    (told,) = site.read(table("csv")).quarantine.to_dict("records")
    assert "in the cloud" in told["expected"]
    (site.raw / ".toy.csv.icloud").unlink()
    (site.raw / "toy.csv").mkdir()
    (told,) = site.read(table("csv")).quarantine.to_dict("records")
    assert "is a folder" in told["expected"]
