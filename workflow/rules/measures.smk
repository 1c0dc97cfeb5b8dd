"""This part of the workflow turns answers into scores and scores into the analysis table.

REQUIRED INPUTS
    clients, sessions, responses, quarantine, ledger = data/processed/<cohort>/*.parquet
    keys                                             = config/instruments/*.yaml
OUTPUTS
    data/processed/<cohort>/scores.parquet           one row per client, session, measure, subscale
    data/processed/<cohort>/scoring_ledger.parquet   forms complete, prorated, refused
    data/processed/<cohort>/events.parquet           sudden gains and losses, ruptures, repairs
    data/processed/<cohort>/panel.parquet            one row per client and session
    results/<cohort>/description.json                counts and observed means, no model
    results/<cohort>/measurement.json                evidence of the keys, reliability, invariance
    results/<cohort>/change.json                     change, sudden gains, ruptures, coders
    private/<cohort>/change.csv                      every client's class: not to be shared
"""


rule score_measures:
    input:
        responses=f"{PROCESSED}/responses.parquet",
        instruments=instrument_files(),
        code=library("measures.scoring"),
    output:
        scores=f"{PROCESSED}/scores.parquet",
        ledger=f"{PROCESSED}/scoring_ledger.parquet",
    log:
        f"{RESULTS}/logs/score_measures.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_measures.tsv"
    params:
        measures=lookup("measures", within=cohort),
    message:
        "Score every questionnaire by its key."
    script:
        "../scripts/score_measures.py"


rule find_events:
    input:
        scores=f"{PROCESSED}/scores.parquet",
        instruments=instrument_files(),
        code=library("measures.events"),
    output:
        events=f"{PROCESSED}/events.parquet",
    log:
        f"{RESULTS}/logs/find_events.log",
    benchmark:
        f"{RESULTS}/benchmarks/find_events.tsv"
    params:
        measures=lookup("measures", within=cohort),
        change=lookup("change", within=cohort),
        ruptures=lookup("ruptures", within=cohort),
    message:
        "Find sudden gains and losses, ruptures and repairs."
    script:
        "../scripts/find_events.py"


rule build_panel:
    input:
        clients=f"{PROCESSED}/clients.parquet",
        sessions=f"{PROCESSED}/sessions.parquet",
        scores=f"{PROCESSED}/scores.parquet",
        events=f"{PROCESSED}/events.parquet",
        code=library("panel.build"),
    output:
        panel=f"{PROCESSED}/panel.parquet",
    log:
        f"{RESULTS}/logs/build_panel.log",
    benchmark:
        f"{RESULTS}/benchmarks/build_panel.tsv"
    params:
        measures=lookup("measures", within=cohort),
        dropout=lookup("dropout", within=cohort),
        subscales=subscales_named(cohort, CONFIG),
        change=lookup("change", within=cohort),
        ruptures=lookup("ruptures", within=cohort),
    message:
        "Build the analysis table: centred parts, lags, ends of treatment."
    script:
        "../scripts/build_panel.py"


rule describe_cohort:
    input:
        instruments=instrument_files(),
        clients=f"{PROCESSED}/clients.parquet",
        responses=f"{PROCESSED}/responses.parquet",
        quarantine=f"{PROCESSED}/quarantine.parquet",
        ledger=f"{PROCESSED}/ledger.parquet",
        scoring_ledger=f"{PROCESSED}/scoring_ledger.parquet",
        panel=f"{PROCESSED}/panel.parquet",
        schema=PROJECT / "workflow" / "schemas" / "description.schema.yaml",
        code=library("panel.describe_cohort"),
    output:
        description=f"{RESULTS}/description.json",
    log:
        f"{RESULTS}/logs/describe_cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_cohort.tsv"
    params:
        cohort=COHORT,
        title=lookup("title", within=cohort),
        simulated=lookup("simulated", within=cohort),
        measures=lookup("measures", within=cohort),
        dropout=lookup("dropout", within=cohort),
        subscales=subscales_named(cohort, CONFIG),
    message:
        "Count who took part, what is missing and what was set aside."
    script:
        "../scripts/describe_cohort.py"


rule describe_measures:
    input:
        instruments=instrument_files(),
        clients=f"{PROCESSED}/clients.parquet",
        sessions=f"{PROCESSED}/sessions.parquet",
        responses=f"{PROCESSED}/responses.parquet",
        scores=f"{PROCESSED}/scores.parquet",
        schema=PROJECT / "workflow" / "schemas" / "measurement.schema.yaml",
        code=library("measures.describe"),
    output:
        measurement=f"{RESULTS}/measurement.json",
    log:
        f"{RESULTS}/logs/describe_measures.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_measures.tsv"
    params:
        measures=lookup("measures", within=cohort),
        seed=lookup("seed", within=cohort),
    message:
        "Judge how well the questionnaires measure: reliability, agreement over sites and sessions."
    script:
        "../scripts/describe_measures.py"


rule describe_change:
    input:
        panel=f"{PROCESSED}/panel.parquet",
        events=f"{PROCESSED}/events.parquet",
        instruments=instrument_files(),
        schema=PROJECT / "workflow" / "schemas" / "change.schema.yaml",
        code=library("measures.describe_change"),
    output:
        change=f"{RESULTS}/change.json",
        private=f"private/{COHORT}/change.csv",
    log:
        f"{RESULTS}/logs/describe_change.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_change.tsv"
    params:
        measures=lookup("measures", within=cohort),
        change=lookup("change", within=cohort),
        ruptures=lookup("ruptures", within=cohort),
        observers=lookup("observers", within=cohort),
        seed=lookup("seed", within=cohort),
    message:
        "Judge change and ruptures, and what chance alone would find."
    script:
        "../scripts/describe_change.py"


rule describe_dropout:
    input:
        instruments=instrument_files(),
        panel=f"{PROCESSED}/panel.parquet",
        schema=PROJECT / "workflow" / "schemas" / "dropout.schema.yaml",
        code=library("panel.describe_dropout"),
    output:
        description=f"{RESULTS}/dropout.json",
    log:
        f"{RESULTS}/logs/describe_dropout.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_dropout.tsv"
    params:
        measures=lookup("measures", within=cohort),
        dropout=lookup("dropout", within=cohort),
    message:
        "Describe who leaves and when."
    script:
        "../scripts/describe_dropout.py"
