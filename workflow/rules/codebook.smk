"""This part of the workflow says what every processed table and column holds.

REQUIRED INPUTS
    data/processed/<cohort>/*.parquet
    keys, mappings = config/instruments/*.yaml, config/sites/<cohort>/*.yaml
OUTPUTS
    data/processed/<cohort>/datapackage.json         Frictionless Data Package, for programs
    results/<cohort>/codebook.html                   the same for people
    results/<cohort>/audit/codebook_findings.json    each printed number: field, rounding
"""

from alliance.codebook.tables import TABLES as DESCRIBED_TABLES


rule write_codebook:
    input:
        tables=collect(
            f"{PROCESSED}/{{table}}.parquet",
            table=[described.name for described in DESCRIBED_TABLES],
        ),
        instruments=instrument_files(),
        mappings=[
            str(site_mapping_path(CONFIG, COHORT, site)) for site in cohort["sites"]
        ],
        code=library("codebook", "codebook.page", "codebook.package"),
        templates=templates("codebook", "report", "tables"),
    output:
        package=f"{PROCESSED}/datapackage.json",
        page=f"{RESULTS}/codebook.html",
        findings=f"{RESULTS}/audit/codebook_findings.json",
    log:
        f"{RESULTS}/logs/write_codebook.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_codebook.tsv"
    params:
        cohort=COHORT,
        title=lookup("title", within=cohort),
        simulated=lookup("simulated", within=cohort),
        measures=lookup("measures", within=cohort),
    message:
        "Write the codebook of the processed tables."
    script:
        "../scripts/write_codebook.py"
