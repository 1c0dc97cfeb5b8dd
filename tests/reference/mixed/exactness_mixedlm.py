"""The log-likelihoods that mixedlm (PyPI) finds on the 300 sets of `exactness.R`.

mixedlm is not in the project's lock. In an environment of its own:

    pip install mixedlm==1.3.0 pandas && python exactness_mixedlm.py
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import mixedlm
import pandas as pd

here = Path(__file__).parent
levels = {"site": "s", "therapist": "th", "client": "cl"}
sets = dict(iter(pd.read_csv(here / "exactness.csv.gz").groupby("set")))
found = []
warnings.simplefilter("ignore")
for case in json.loads((here / "exactness.json").read_text())["cases"]:
    data = sets[case["case"]].copy()
    data["s"] = data["site"].astype(str)
    data["th"] = data["s"] + "." + data["therapist"].astype(str)
    data["cl"] = data["th"] + "." + data["client"].astype(str)
    bars = " + ".join(
        f"({' + '.join(entry['terms'])} | {levels[entry['level']]})" for entry in case["random"]
    )
    fit = mixedlm.lmer(f"y ~ t + x + {bars}", data, REML=case["method"] == "REML")
    found.append(float(fit.logLik().value))
    print(case["case"], found[-1] - case["log_likelihood"])
body = {"engine": f"mixedlm {version('mixedlm')}", "log_likelihoods": found}
(here / "exactness_mixedlm.json").write_text(json.dumps(body, indent=1) + "\n")
