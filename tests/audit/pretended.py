"""A results folder as a run leaves it, made of a few records: to plant causes of a difference in.

The steps and what they read are those of the workflow; hashes are of made-up contents. `propagate`
does what a run would do: whatever reads something new makes something new.
"""

import copy
import hashlib
import json
from pathlib import Path

COHORT = "tiny"
P, R = f"data/processed/{COHORT}", f"results/{COHORT}"
SITES = ("north", "south")
KEYS = ("config/instruments/wai-sr-c.yaml", "config/instruments/phq-9.yaml")
GROUND = ("src/alliance/files.py", "src/alliance/errors.py")
GROWTH = {"family": "growth", "outcome": "symptoms", "time": "log_weeks", "df": "satterthwaite"}
HAZARD = {"family": "hazard", "predictors": ["alliance"], "ends": ["dropout"]}
MEASURES = {"alliance": {"instrument": "wai-sr-c"}, "symptoms": {"instrument": "phq-9"}}


def of(content):
    return hashlib.sha256(content.encode()).hexdigest()


def _step(name, reads, code, settings, makes):
    return {
        "name": name,
        "inputs": {path: of(path) for path in reads},
        "code": {path: of(path) for path in (*GROUND, *code)},
        "settings": settings,
        "outputs": {path: of(path) for path in makes},
    }


def steps():
    found = []
    for site in SITES:
        raw = f"data/raw/{COHORT}/{site}/sessions.csv"
        settings = {"measures": MEASURES, "raw_sha256": [of(raw)], "simulated": True}
        reads = [raw, f"config/sites/{COHORT}/{site}.yaml", *KEYS]
        made = [f"{P}/sites/{site}/{table}.parquet" for table in ("sessions", "responses")]
        code = ["src/alliance/ingest/site.py", "src/alliance/ingest/parse.py"]
        found.append(_step(f"ingest_site.{site}", reads, code, settings, made))
    ingested = [path for step in found for path in step["outputs"]]
    panel, responses, scores = (f"{P}/{t}.parquet" for t in ("panel", "responses", "scores"))
    pool, score = "src/alliance/ingest/pool.py", "src/alliance/measures/scoring.py"
    found.append(_step("pool_sites", ingested, [pool], {}, [responses]))
    found.append(
        _step("score_measures", [responses, *KEYS], [score], {"measures": MEASURES}, [scores])
    )
    build = {"dropout": {"event": ["dropout"]}, "measures": MEASURES}
    found.append(_step("build_panel", [scores], ["src/alliance/panel/build.py"], build, [panel]))
    for family, models in (
        ("growth", {"alliance_growth": GROWTH, "symptom_growth": GROWTH}),
        ("hazard", {"dropout_hazard": HAZARD}),
    ):
        made = [f"{R}/fits/{name}.json" for name in models]
        code = [f"src/alliance/families/{family}/model.py", "src/alliance/mixed/fit.py"]
        found.append(_step(f"fit_{family}", [panel, *KEYS], code, {"models": models}, made))
    fits = [path for step in found if step["name"].startswith("fit_") for path in step["outputs"]]
    record = [f"{R}/audit/run.json"]
    found.append(_step("record_run", ["config/tiny.yaml"], [], {}, record))
    report = ["src/alliance/report/page.py"]
    found.append(_step("write_report", [*fits, *record], report, {}, [f"{R}/report.html"]))
    return found


def propagate(found, still=()):
    """Give new hashes to what is made from something new; steps in `still` make the same."""
    original = {step["name"]: step for step in steps()}
    new = {}
    for step in found:
        for path in step["inputs"]:
            step["inputs"][path] = new.get(path, step["inputs"][path])
        before = original[step["name"]]
        same = all(step[part] == before[part] for part in ("inputs", "code", "settings"))
        if not same and step["name"] not in still:
            mark = json.dumps([step["inputs"], step["code"], step["settings"]])
            for path in step["outputs"]:
                step["outputs"][path] = new[path] = of(path + mark)
    return found


def estimate(value):
    numbers = {"estimate": value, "se": 0.5, "group": "", "label": "Change"}
    return numbers | {"term": "t", "level": "time", "estimator": {"code": "reml"}}


def write(folder, found, shift=0.0, environment="3.11.7"):
    """Write the records as `results/tiny` of `folder`, fits and a list of findings with them."""
    results = Path(folder) / R
    for step in found:
        _write(results / "audit" / "steps" / f"{step['name']}.json", step)
        for path in step["outputs"]:
            if "/fits/" in path:
                moved = shift if step["outputs"][path] != of(path) else 0.0
                _write(results / "fits" / Path(path).name, _fit(1.0 + moved))
    _write(results / "audit" / "run.json", {"python": environment, "packages": {"numpy": "2"}})
    printed = {"id": "f1", "document": "report.html", "place": "", "printed": f"{1 + shift:.2f}"}
    field = {"source": "fits/symptom_growth.json", "pointer": "/estimates/0/estimate"}
    entry = printed | field | {"value": 1 + shift, "format": "decimals:2", "also": []}
    _write(results / "audit" / "findings.json", {"findings": [entry]})
    return results


def _fit(value):
    data = {"rows_in_panel": 10, "rows_used": 10, "left_out": []}
    return {"estimates": [estimate(value)], "data": data, "status": "converged"}


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(copy.deepcopy(content)), encoding="utf-8")
