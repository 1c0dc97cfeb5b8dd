"""This part of the workflow fits the models that the config names, one rule a family.

REQUIRED INPUTS
    panel = data/processed/<cohort>/panel.parquet
    keys  = config/instruments/*.yaml                the scales' ends and names
OUTPUTS
    results/<cohort>/fits/<model>.json               one form for all: workflow/schemas/fit.schema.yaml
    data/processed/<cohort>/rows/<model>.parquet     which rows of the panel it used, and why not others
    results/<cohort>/multiplicity.json               p values adjusted for the number of tests

All models of a family are fitted in one process: a fit takes milliseconds, a process start seconds.
The families are those of `alliance.families.registry`.
"""

from alliance.families import registry

for family in registry.families().values():
    if models_of(family.name):

        rule:
            name:
                f"fit_{family.name}"
            input:
                panel=f"{PROCESSED}/panel.parquet",
                instruments=instrument_files(),
                schema=PROJECT / "workflow" / "schemas" / "fit.schema.yaml",
                code=library(*registry.modules_of(family, "fit")),
            output:
                fits=fit_files(family.name),
                rows=[
                    f"{PROCESSED}/rows/{name}.parquet"
                    for name in models_of(family.name)
                ],
            log:
                f"{RESULTS}/logs/fit_{family.name}.log",
            benchmark:
                f"{RESULTS}/benchmarks/fit_{family.name}.tsv"
            params:
                fit=family.fit,
                measures=lookup("measures", within=cohort),
                models=models_of(family.name),
            message:
                f"Fit {family.question}."
            script:
                "../scripts/fit_family.py"


rule adjust_for_many_tests:
    input:
        fits=fit_files(),
        measurement=f"{RESULTS}/measurement.json",
        code=library("families.multiplicity"),
    output:
        multiplicity=f"{RESULTS}/multiplicity.json",
    log:
        f"{RESULTS}/logs/adjust_for_many_tests.log",
    params:
        primary=lookup("primary", within=cohort),
    message:
        "Adjust p values for the number of tests."
    script:
        "../scripts/adjust_for_many_tests.py"
