"""This part of the workflow fills in the checklists and writes the one page with its list of numbers.

REQUIRED INPUTS
    fits, description, figures = results/<cohort>/...
    truth                      = data/raw/<cohort>/truth.json (simulated cohorts only)
OUTPUTS
    results/<cohort>/report.html                     self-contained, opens offline
    results/<cohort>/audit/findings.json             each printed number: file, field, rounding
    results/<cohort>/audit/run.json                  versions and hashes of config, lock and code
    results/<cohort>/run_config.yaml                 the configuration that made these results
    results/<cohort>/checklists.json                 what of each reporting checklist the run answers
"""

from alliance.checklists.filling import definition_files


rule record_run:
    input:
        config=str(CONFIG),
        lock=PROJECT / "requirements.lock",
        code=library(
            "ingest.site",
            "ingest.pool",
            "measures.scoring",
            "measures.describe",
            "measures.events",
            "measures.describe_change",
            "panel",
            "description",
            "describe_dropout",
            *[module for module, _ in FAMILIES.values()],
        ),
        provenance=library("provenance"),
    output:
        run=f"{RESULTS}/audit/run.json",
        run_config=f"{RESULTS}/run_config.yaml",
    log:
        f"{RESULTS}/logs/record_run.log",
    message:
        "Record versions and hashes of config, environment and code."
    script:
        "../scripts/record_run.py"


rule fill_checklists:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=further_descriptions(),
        run=f"{RESULTS}/audit/run.json",
        schema=PROJECT / "workflow" / "schemas" / "checklists.schema.yaml",
        definitions=definition_files(),
        code=library("checklists"),
    output:
        checklists=f"{RESULTS}/checklists.json",
    log:
        f"{RESULTS}/logs/fill_checklists.log",
    benchmark:
        f"{RESULTS}/benchmarks/fill_checklists.tsv"
    message:
        "Fill in the reporting checklists."
    script:
        "../scripts/fill_checklists.py"


rule write_report:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=printed_descriptions(),
        figures=rules.draw_figures.output,
        flow_figure=f"{RESULTS}/figures/flow.svg",
        run=f"{RESULTS}/audit/run.json",
        truth=truth_file(),
        code=library("report"),
        templates=templates("report", "tables"),
    output:
        report=f"{RESULTS}/report.html",
        findings=f"{RESULTS}/audit/findings.json",
    log:
        f"{RESULTS}/logs/write_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_report.tsv"
    params:
        figures_folder=subpath(input.flow_figure, parent=True),
    message:
        "Write the report and the list of its numbers."
    script:
        "../scripts/write_report.py"
