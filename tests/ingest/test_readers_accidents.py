"""Any accident to a file of any format ends in words: never a traceback, never without end.

Bytes are cut, torn out, doubled and changed at random, in the file as it lies and, for what is a
zip, in the parts within. A limit on memory stands in for a small machine.
"""

import gzip
import io
import random
import resource
import zipfile
from pathlib import Path

import pytest

from alliance.config.site_mapping import completed_mapping
from alliance.ingest.raw import UnreadableError
from alliance.ingest.readers import read_table

FILES = Path(__file__).parent / "files"
FORMATS = ["sav", "zsav", "por", "dta", "xpt", "parquet", "xlsx", "xls", "ods", "csv.gz", "csv.zip"]
N_SAMPLE, N_ALL = 40, 400
MORE_BYTES = 2_500_000_000  # than the process has when the tests begin


@pytest.fixture(scope="module")
def small_machine():
    statm = Path("/proc/self/statm")
    if not statm.is_file():  # only Linux says how much there is already
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = int(statm.read_text().split()[0]) * resource.getpagesize() + MORE_BYTES
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def sound_file(made, folder, ending):
    """Return the bytes of a sound file."""
    header, rows = made.HEADER[:8], [r[:8] for r in made.session_rows(made.cohort(8)[1])]
    if ending == "xls":
        return (FILES / "old.xls").read_bytes()
    path = folder / f"sound.{ending.partition('.')[0]}"
    made.write(path, header, rows)
    data = path.read_bytes()
    if ending == "csv.gz":
        return gzip.compress(data)
    if ending == "csv.zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("sound.csv", data)
        return stream.getvalue()
    return data


def after_accidents(data, chance):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data)) if data else 0
        accident = chance.randrange(5)
        if accident == 0:
            del data[at:]
        elif accident == 1:
            del data[at : at + chance.randint(1, 60)]
        elif accident == 2:
            data[at:at] = data[at : at + chance.randint(1, 60)]
        elif accident == 3:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        else:
            for i in range(at, min(len(data), at + chance.choice([1, 1, 4, 8]))):
                data[i] = chance.choice([0, 255, chance.randrange(256)])
    return bytes(data)


def after_accidents_within(data, chance):
    """Return a zip of which one part had an accident, packed soundly again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w") as changed:
        names = given.namelist()
        chosen = chance.choice([name for name in names if name.endswith((".xml", ".csv"))])
        for name in names:
            content = given.read(name)
            changed.writestr(name, after_accidents(content, chance) if name == chosen else content)
    return stream.getvalue()


def read_all(made, tmp_path, ending, seeds):
    data = sound_file(made, tmp_path, ending)
    table = {"file": f"toy.{ending}", "rows": "client", "client": "id"}
    source = completed_mapping({"site": "x", "tables": [table]})["tables"][0]
    file = tmp_path / f"toy.{ending}"
    file.write_bytes(data)
    assert len(read_table(tmp_path, source)) >= 4
    refused = 0
    for seed in seeds:
        chance = random.Random(f"{ending} {seed}")
        within = data[:2] == b"PK" and seed % 2
        file.write_bytes((after_accidents_within if within else after_accidents)(data, chance))
        try:
            read = read_table(tmp_path, source)
        except UnreadableError as error:
            refused += 1
            assert error.rule.startswith(("file-", "sheet-", "wrong-")), error.rule
        else:
            assert all(len(column) == len(read) for column in read.columns)
            assert len(read.header) == len(read.columns)
    return refused


@pytest.mark.parametrize("ending", FORMATS)
def test_accidents_end_in_words(small_machine, made, tmp_path, ending):
    assert read_all(made, tmp_path, ending, range(N_SAMPLE)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", FORMATS)
def test_many_accidents_end_in_words(small_machine, made, tmp_path, ending):
    assert read_all(made, tmp_path, ending, range(N_SAMPLE, N_SAMPLE + N_ALL)) > N_ALL / 4
