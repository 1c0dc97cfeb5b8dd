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
    "growth": ("families.growth.model", "how alliance and symptoms develop"),
    "ladder": ("families.growth_shape.model", "which shape the courses have"),
    "parallel": (
        "families.parallel_growth.model",
        "whether alliance and symptoms develop together",
    ),
    "agreement": (
        "families.agreement.model",
        "whether client and therapist see the same alliance",
    ),
    "surface": (
        "families.surface.model",
        "whether their agreement matters for the outcome",
    ),
    "actor_partner": ("families.actor_partner.model", "whose view follows whose"),
    "coupling": (
        "families.coupling.model",
        "how alliance and symptoms move each other",
    ),
    "arms": (
        "families.specifications.model",
        "whether means, trends and lags change the answer",
    ),
    "panel": (
        "families.panel_estimators.model",
        "whether it holds for any level of a client",
    ),
    "dropout": ("families.hazard", "who leaves, and when"),
    "survival": (
        "families.continuous_time.model",
        "when clients leave, in continuous time",
    ),
    "by_site": ("families.by_site.model", "whether it holds at every site"),
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
