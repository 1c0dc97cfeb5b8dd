"""This part of the workflow reads each site's files in its own habit and checks every row.

REQUIRED INPUTS
    raw      = data/raw/<cohort>/<site>/*            as the site exported them, never written
    mapping  = config/sites/<cohort>/<site>.yaml     how they map onto the canonical columns
    keys     = config/instruments/*.yaml             which answers are possible
OUTPUTS
    data/processed/<cohort>/sites/<site>/{clients,sessions,responses,quarantine,ledger,places}.parquet
    private/<cohort>/ids_<site>.csv                  pseudonyms to ids, for the lab alone
    data/processed/<cohort>/implausible.parquet      what only all answers together show
    private/<cohort>/odd_forms.csv                   the clients behind it, for the lab alone
    data/processed/<cohort>/{clients,sessions,responses,quarantine,ledger}.parquet
    results/<cohort>/checks/problems.csv             every problem with place, rule and remedy
    results/<cohort>/checks/ledger.csv               rows read = rows kept + rows set aside

What is wrong with a site's data is data too: `ingest_site` does not stop for it. `pool_sites` stops
once, with the blocking problems of all sites in one message.
"""

TABLES = ["clients", "sessions", "responses", "quarantine", "ledger"]


rule ingest_site:
    input:
        raw=raw_files,
        mapping=mapping_file,
        instruments=instrument_files(),
        code=library("ingest.site", *reader_modules()),
    output:
        [f"{PROCESSED}/sites/{{site}}/{table}.parquet" for table in [*TABLES, "places"]],
        lookup=f"private/{COHORT}/ids_{{site}}.csv",
    log:
        f"{RESULTS}/logs/ingest_site/{{site}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ingest_site/{{site}}.tsv"
    params:
        cohort=COHORT,
        measures=lookup("measures", within=cohort),
        simulated=bool(truth_file()),  # only then are the pseudonyms those of the public key
        raw_folder=f"{RAW}/{{site}}",
        raw_sha256=raw_fingerprints,
        key=key_fingerprint(),
        private_folder=subpath(output.lookup, parent=True),
        out_folder=subpath(output[0], parent=True),
    message:
        "Read and check the files of site {wildcards.site}."
    script:
        "../scripts/ingest_site.py"


rule check_plausibility:
    input:
        tables=collect(rules.ingest_site.output, site=lookup("sites", within=cohort)),
        instruments=instrument_files(),
        code=library("ingest.plausible"),
    output:
        implausible=f"{PROCESSED}/implausible.parquet",
        odd_forms=f"private/{COHORT}/odd_forms.csv",
    log:
        f"{RESULTS}/logs/check_plausibility.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_plausibility.tsv"
    params:
        measures=lookup("measures", within=cohort),
        site_folders=collect(
            f"{PROCESSED}/sites/{{site}}", site=lookup("sites", within=cohort)
        ),
        private_folder=subpath(output.odd_forms, parent=True),
    message:
        "Look at all sites side by side: is the data plausible?"
    script:
        "../scripts/check_plausibility.py"


rule pool_sites:
    input:
        collect(rules.ingest_site.output, site=lookup("sites", within=cohort)),
        implausible=rules.check_plausibility.output.implausible,
        # Only for the order: the data page is there before this rule may stop the run.
        page=ancient(f"{RESULTS}/intake.html"),
        code=library("ingest.pool"),
    output:
        **{table: f"{PROCESSED}/{table}.parquet" for table in TABLES},
        problems=f"{RESULTS}/checks/problems.csv",
        ledger_csv=f"{RESULTS}/checks/ledger.csv",
    log:
        f"{RESULTS}/logs/pool_sites.log",
    benchmark:
        f"{RESULTS}/benchmarks/pool_sites.tsv"
    params:
        site_folders=collect(
            f"{PROCESSED}/sites/{{site}}", site=lookup("sites", within=cohort)
        ),
        out_folder=subpath(output.clients, parent=True),
        checks_folder=subpath(output.problems, parent=True),
    message:
        "Put the sites together and stop here if one of them cannot be used."
    script:
        "../scripts/pool_sites.py"
