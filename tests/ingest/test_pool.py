"""Stacking the sites: their own covariates, empty sites, clients in two exports."""

import pandas as pd
import pytest
import yaml

from alliance.config.cohort import PROJECT
from alliance.errors import DataError
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site

KEYS = [PROJECT / "config" / "instruments" / "wai-sr-c.yaml"]
ITEMS = ",".join(f"w{i}" for i in range(1, 13))
ONES = ",".join(["1"] * 12)


@pytest.fixture
def pool(tmp_path):
    """Ingest sites given as (name, CSV text, keys of the mapping) and pool them."""

    def run(*sites):
        for name, text, table in sites:
            raw = tmp_path / "raw" / name
            raw.mkdir(parents=True, exist_ok=True)
            (raw / "a.csv").write_text(text, encoding="utf-8")
            entry = {"file": "a.csv", "rows": "session", "client": "id", "session": "nr",
                     "measures": {"alliance": "w{item}"}, **table}  # fmt: skip
            mapping = tmp_path / f"{name}.yaml"
            mapping.write_text(yaml.safe_dump({"site": name, "tables": [entry]}), encoding="utf-8")
            ingest_site(
                cohort="toy", site=name, mapping=mapping, raw_folder=raw,
                measures={"alliance": {"instrument": "wai-sr-c"}}, instruments=KEYS,
                private_folder=tmp_path / "private", simulated=False,
                out_folder=tmp_path / "sites" / name,
            )  # fmt: skip
        pool_sites(
            site_folders=[tmp_path / "sites" / name for name, _, _ in sites],
            out_folder=tmp_path / "pooled", checks_folder=tmp_path / "checks",
        )  # fmt: skip
        names = ("clients", "sessions", "responses", "quarantine", "ledger")
        return {name: pd.read_parquet(tmp_path / "pooled" / f"{name}.parquet") for name in names}

    return run


def rows(*clients, more=""):
    lines = [f"{client},{nr},{ONES}{more}" for client in clients for nr in (1, 2)]
    return "\n".join(lines) + "\n"


def test_sites_with_covariates_of_their_own(pool):
    pooled = pool(
        ("one", f"id,nr,{ITEMS},age\n" + rows("a", more=",30"),
         {"client_facts": {"age_years": {"column": "age", "type": "number"}}}),
        ("two", f"id,nr,{ITEMS},sex\n" + rows("a", more=",f"), {"client_facts": {"gender": "sex"}}),
    )  # fmt: skip
    clients = pooled["clients"]
    assert list(clients) == ["site", "client", "therapist", "end_status", "sessions_planned",
                             "age_years", "gender"]  # fmt: skip
    assert clients["age_years"].isna().tolist() == [False, True]
    assert clients["gender"].isna().tolist() == [True, False]
    assert str(clients["age_years"].dtype) == "float64" and str(clients["gender"].dtype) == "str"
    assert clients["client"].nunique() == 2  # the same id at two sites is two people


def test_order_of_sites_does_not_matter(pool, tmp_path):
    one = ("one", f"id,nr,{ITEMS}\n" + rows("a", "b"), {})
    two = ("two", f"id,nr,{ITEMS}\n" + rows("c", "d"), {})
    pool(one, two)
    before = {f.name: f.read_bytes() for f in (tmp_path / "pooled").iterdir()}
    pool(two, one)
    assert before == {f.name: f.read_bytes() for f in (tmp_path / "pooled").iterdir()}


def test_a_site_without_rows(pool):
    header = f"id,nr,{ITEMS}\n"
    pooled = pool(("empty", header, {}), ("one", header + rows("a"), {}))
    assert pooled["clients"]["site"].tolist() == ["one"]
    assert pooled["quarantine"]["rule"].tolist() == ["file-without-rows"]
    for table in pooled.values():
        assert all(str(kind) != "object" for kind in table.dtypes)


def test_only_sites_without_rows(pool):
    pooled = pool(("empty", f"id,nr,{ITEMS}\n", {}))
    kinds = {name: str(kind) for name, kind in pooled["sessions"].dtypes.items()}
    assert kinds == {"site": "str", "client": "str", "session": "int64",
                     "weeks_since_intake": "float64", "attended": "bool"}  # fmt: skip
    assert len(pooled["responses"]) == len(pooled["clients"]) == 0


def test_a_client_in_two_exports_of_the_same_site(pool):
    text = f"where,id,nr,{ITEMS}\n" + "".join(f"x,a,{nr},{ONES}\n" for nr in (1, 2))
    with pytest.raises(DataError, match="1 clients of the same site"):
        pool(("one", text, {"site": "where"}), ("two", text, {"site": "where"}))


def test_problem_list_and_ledger_are_written_for_people(pool, tmp_path):
    text = f"id,nr,{ITEMS}\n" + rows("a") + f",3,{ONES}\n"
    pool(("one", text, {}))
    problems = pd.read_csv(tmp_path / "checks" / "problems.csv")
    assert problems[["site", "file", "row", "column", "rule"]].to_numpy().tolist() == [
        ["one", "a.csv", 4, "id", "no-client-id"]
    ]
    ledger = pd.read_csv(tmp_path / "checks" / "ledger.csv").set_index(["unit", "reason"])["count"]
    assert ledger["rows", "read"] == 3 and ledger["answers", "read"] == 36
