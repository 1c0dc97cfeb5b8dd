"""This part of the workflow makes what may leave the lab, where it is asked for.

REQUIRED INPUTS
    results/<cohort>/{description,dropout,change}.json
    results/<cohort>/fits/<model>.json
OUTPUTS (`make share`)
    results/<cohort>/share/report.html               counts without small ones, means, effects
    results/<cohort>/share/disclosure.{html,json}    what was hidden and why
    results/<cohort>/share/facts.json                the same facts, for programs
    results/<cohort>/share/tables/<name>.csv
    results/<cohort>/share/figures/staying.{svg,png,pdf}
"""

from alliance.sharing.names import TITLES as SHARED_TABLES


rule write_share:
    input:
        description=f"{RESULTS}/description.json",
        dropout=f"{RESULTS}/dropout.json",
        change=f"{RESULTS}/change.json",
        fits=fit_files(),
        code=library("sharing.release"),
        templates=templates("sharing", "tables"),
    output:
        pages=collect(
            f"{RESULTS}/share/{{name}}",
            name=["report.html", "disclosure.html", "disclosure.json", "facts.json"],
        ),
        tables=collect(f"{RESULTS}/share/tables/{{name}}.csv", name=SHARED_TABLES),
        figures=collect(
            f"{RESULTS}/share/figures/staying.{{kind}}", kind=["svg", "png", "pdf"]
        ),
    log:
        f"{RESULTS}/logs/write_share.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_share.tsv"
    params:
        out_folder=subpath(output[0], parent=True),
    message:
        "Write what may leave the lab."
    script:
        "../scripts/write_share.py"
