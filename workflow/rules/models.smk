"""This part of the workflow fits the models that the config names, one rule a family.

REQUIRED INPUTS
    panel = data/processed/<cohort>/panel.parquet
    keys  = config/instruments/*.yaml                the scales' ends and names
OUTPUTS
    results/<cohort>/fits/<model>.json               one form for all: workflow/schemas/fit.schema.yaml

All models of a family are fitted in one process: a fit takes milliseconds, a process start seconds.
"""

if models_of("growth"):

    rule fit_growth:
        input:
            panel=f"{PROCESSED}/panel.parquet",
            instruments=instrument_files(),
            schema=PROJECT / "workflow" / "schemas" / "fit.schema.yaml",
            code=library("models.growth"),
        output:
            fits=fit_files("growth"),
        log:
            f"{RESULTS}/logs/fit_growth.log",
        benchmark:
            f"{RESULTS}/benchmarks/fit_growth.tsv"
        params:
            measures=lookup("measures", within=cohort),
            models=models_of("growth"),
        message:
            "Fit how alliance and symptoms develop."
        script:
            "../scripts/fit_growth.py"


if models_of("coupling"):

    rule fit_coupling:
        input:
            panel=f"{PROCESSED}/panel.parquet",
            instruments=instrument_files(),
            schema=PROJECT / "workflow" / "schemas" / "fit.schema.yaml",
            code=library("models.coupling"),
        output:
            fits=fit_files("coupling"),
        log:
            f"{RESULTS}/logs/fit_coupling.log",
        benchmark:
            f"{RESULTS}/benchmarks/fit_coupling.tsv"
        params:
            measures=lookup("measures", within=cohort),
            models=models_of("coupling"),
        message:
            "Fit how alliance and symptoms move each other."
        script:
            "../scripts/fit_coupling.py"


if models_of("dropout"):

    rule fit_dropout:
        input:
            panel=f"{PROCESSED}/panel.parquet",
            instruments=instrument_files(),
            schema=PROJECT / "workflow" / "schemas" / "fit.schema.yaml",
            code=library("models.dropout"),
        output:
            fits=fit_files("dropout"),
        log:
            f"{RESULTS}/logs/fit_dropout.log",
        benchmark:
            f"{RESULTS}/benchmarks/fit_dropout.tsv"
        params:
            measures=lookup("measures", within=cohort),
            models=models_of("dropout"),
        message:
            "Fit who leaves, and when."
        script:
            "../scripts/fit_dropout.py"
