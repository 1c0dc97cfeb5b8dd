"""A site in a temporary folder: raw files and a mapping in, canonical tables out."""

import datetime
import importlib.util
import sys
from pathlib import Path

import openpyxl
import pytest
import yaml

from alliance.config.cohort import PROJECT
from alliance.config.instruments import Instrument, load_instrument
from alliance.config.site import load_site
from alliance.ingest.pseudonyms import SIMULATED_KEY
from alliance.ingest.site import read_site


def instrument(name, n_items=3, minimum=1, maximum=5, step=1, reverse=(), unscored=()):
    return Instrument(
        id=name, name=name, abbreviation=name, construct="alliance", rater="client",
        status="ready", direction="higher-is-better", n_items=n_items, minimum=minimum,
        maximum=maximum, step=step, item_maximum={}, reverse=reverse, unscored=unscored,
        scores=(), fill="none", questionnaire_unanswered_most=None, definition={},
    )  # fmt: skip


KEYS = {"alliance": instrument("wai"), "symptoms": instrument("phq", 2, 0, 3)}


class Plain(yaml.SafeDumper):
    """Writes a dict that stands in two places out twice, without anchors."""

    def ignore_aliases(self, data):
        return True


class Site:
    """Write raw files, read them by a mapping."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw = folder / "raw"
        self.raw.mkdir()

    def csv(self, name, text, encoding="utf-8"):
        data = text if isinstance(text, bytes) else text.encode(encoding)
        (self.raw / name).write_bytes(data)

    def workbook(self, name, **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(self.raw / name)

    def read(self, *tables, keys=None, **top):
        path = self.folder / "toy.yaml"
        content = {"site": "toy", **top, "tables": list(tables)}
        path.write_text(yaml.dump(content, Dumper=Plain, allow_unicode=True), encoding="utf-8")
        read, _ = read_site(
            site="toy", mapping=load_site(path), raw_folder=self.raw,
            keys=KEYS if keys is None else keys, key=SIMULATED_KEY,
        )  # fmt: skip
        return read


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture(scope="session")
def new_site():
    return Site


@pytest.fixture(scope="session")
def keys():
    return KEYS


@pytest.fixture
def make_instrument():
    return instrument


@pytest.fixture
def date():
    return datetime.date


@pytest.fixture(scope="session")
def make_keys():
    """Return the scoring keys of the made cohort: WAI-SR and PHQ-9 as they are shipped."""
    folder = PROJECT / "config" / "instruments"
    named = {"alliance": "wai-sr-c", "symptoms": "phq-9"}
    return lambda: {m: load_instrument(folder / f"{key}.yaml") for m, key in named.items()}


@pytest.fixture(scope="session")
def made():
    """The module `made.py`: one made cohort in many formats and habits."""
    path = Path(__file__).parent / "made.py"
    spec = importlib.util.spec_from_file_location("ingest_made", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module
