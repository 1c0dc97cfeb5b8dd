"""This part of the workflow fits the models that the config names, one rule a family.

REQUIRED INPUTS
    panel = data/processed/<cohort>/panel.parquet
    keys  = config/instruments/*.yaml                the scales' ends and names
OUTPUTS
    results/<cohort>/fits/<model>.json               one form for all: workflow/schemas/fit.schema.yaml

All models of a family are fitted in one process: a fit takes milliseconds, a process start seconds.
"""

# Family: the module that fits it, and what it asks.
FAMILIES = {
    "growth": ("models.growth", "how alliance and symptoms develop"),
    "ladder": ("models.ladder", "which shape the courses have"),
    "parallel": ("models.parallel", "whether alliance and symptoms develop together"),
    "agreement": (
        "models.agreement",
        "whether client and therapist see the same alliance",
    ),
    "surface": ("models.surface", "whether their agreement matters for the outcome"),
    "actor_partner": ("models.actor_partner", "whose view follows whose"),
    "coupling": ("models.coupling", "how alliance and symptoms move each other"),
    "arms": ("models.arms", "whether means, trends and lags change the answer"),
    "panel": ("models.panel_estimators", "whether it holds for any level of a client"),
    "dropout": ("models.dropout", "who leaves, and when"),
    "survival": ("models.survival", "when clients leave, in continuous time"),
    "by_site": ("models.by_site", "whether it holds at every site"),
}

for family, (module, question) in FAMILIES.items():
    if models_of(family):

        rule:
            name:
                f"fit_{family}"
            input:
                panel=f"{PROCESSED}/panel.parquet",
                instruments=instrument_files(),
                schema=PROJECT / "workflow" / "schemas" / "fit.schema.yaml",
                code=library(module),
            output:
                fits=fit_files(family),
            log:
                f"{RESULTS}/logs/fit_{family}.log",
            benchmark:
                f"{RESULTS}/benchmarks/fit_{family}.tsv"
            params:
                family=family,
                measures=lookup("measures", within=cohort),
                models=models_of(family),
            message:
                f"Fit {question}."
            script:
                "../scripts/fit_{params.family}.py"
