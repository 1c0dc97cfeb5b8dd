"""This part of the workflow writes the data page, also (and above all) when the intake stops the run.

REQUIRED INPUTS
    data/processed/<cohort>/sites/<site>/{clients,sessions,responses,quarantine,ledger}.parquet
    data/processed/<cohort>/implausible.parquet
OUTPUTS
    results/<cohort>/intake.html                     problems, plausibility, coverage, ledger
    results/<cohort>/intake.json                     its numbers
    results/<cohort>/audit/intake_findings.json      each printed number: field, rounding
    results/<cohort>/checks/queries_<site>.csv       for each site: what it is asked to mend

It stands before `pool_sites`, which stops a run with blocking problems only once the page is there.
"""

from alliance.intake_page import query_files


rule write_intake_page:
    input:
        tables=collect(rules.ingest_site.output, site=lookup("sites", within=cohort)),
        implausible=rules.check_plausibility.output.implausible,
        code=library("intake_page", "intake_page.page", "intake_page.describe"),
        templates=templates("intake_page", "report", "tables"),
    output:
        page=f"{RESULTS}/intake.html",
        description=f"{RESULTS}/intake.json",
        findings=f"{RESULTS}/audit/intake_findings.json",
        queries=query_files(RESULTS, cohort["sites"]),
    log:
        f"{RESULTS}/logs/write_intake_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_intake_page.tsv"
    params:
        cohort=COHORT,
        title=lookup("title", within=cohort),
        simulated=lookup("simulated", within=cohort),
        measures=lookup("measures", within=cohort),
        site_folders={
            site: f"{PROCESSED}/sites/{site}"
            for site in lookup("sites", within=cohort)
        },
    message:
        "Write the data page and each site's list of problems."
    script:
        "../scripts/write_intake_page.py"
