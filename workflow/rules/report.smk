"""This part of the workflow fills in the checklists, writes the one page and checks every number.

REQUIRED INPUTS
    fits, description, figures = results/<cohort>/...
    truth                      = data/raw/<cohort>/truth.json (simulated cohorts only)
OUTPUTS
    results/<cohort>/report.html                     self-contained, opens offline
    results/<cohort>/audit/findings.json             each printed number: file, field, rounding
    results/<cohort>/audit/run.json                  versions and hashes of config, lock and code
    results/<cohort>/run_config.yaml                 the configuration that made these results
    results/<cohort>/deviations.json                 what differs from the frozen plan (make freeze)
    results/<cohort>/checklists.json                 what of each reporting checklist the run answers
    results/<cohort>/consistency.json                numbers of one concept that differ, and why
    results/<cohort>/checks/printed_numbers.csv      for each document: findings and differences
    results/<cohort>/checks/concepts.csv             what each printed number means

The run stops if a printed number is not what its file gives, or if statistic, degrees of freedom
and p of a test do not go together, or if two numbers of one concept contradict each other.
"""

from alliance.audit.plan import analysis_code
from alliance.checklists.filling import definition_files

# Every document with the list of its numbers, in the results folder.
PRINTED_DOCUMENTS = {
    "report.html": "audit/findings.json",
    "intake.html": "audit/intake_findings.json",
    "codebook.html": "audit/codebook_findings.json",
    **{f"tables/{name}.html": "audit/tables_findings.json" for name in table_names()},
    "manuscript/methods.html": "audit/manuscript_findings.json",
    "manuscript/methods.docx": "audit/manuscript_findings.json",
    "manuscript/results.html": "audit/manuscript_findings.json",
    "manuscript/results.docx": "audit/manuscript_findings.json",
    "manuscript/tables.docx": "audit/manuscript_findings.json",
    "manuscript/checklists.docx": "audit/manuscript_findings.json",
}


rule record_run:
    input:
        config=str(CONFIG),
        lock=PROJECT / "requirements.lock",
        code=analysis_code(),
        frozen=frozen_plan(),
        instruments=instrument_files(),
        mappings=[
            str(site_mapping_path(CONFIG, COHORT, site)) for site in cohort["sites"]
        ],
        provenance=library("running.provenance", "audit.plan"),
    output:
        run=f"{RESULTS}/audit/run.json",
        deviations=f"{RESULTS}/deviations.json",
        run_config=f"{RESULTS}/run_config.yaml",
    log:
        f"{RESULTS}/logs/record_run.log",
    message:
        "Record versions and hashes of config, environment and code, and deviations from the plan."
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


rule compare_numbers:
    input:
        sources=numbers_compared(),
        code=library("consistency.check"),
        register=PROJECT / "src" / "alliance" / "consistency" / "register.yaml",
    output:
        consistency=f"{RESULTS}/consistency.json",
    log:
        f"{RESULTS}/logs/compare_numbers.log",
    params:
        results_folder=subpath(output[0], parent=True),
    message:
        "Compare the numbers of each concept over all files."
    script:
        "../scripts/compare_numbers.py"


rule write_report:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=[
            *printed_descriptions(),
            rules.compare_numbers.output.consistency,
            rules.record_run.output.deviations,
        ],
        figures=rules.draw_figures.output,
        flow_figure=f"{RESULTS}/figures/flow.svg",
        run=f"{RESULTS}/audit/run.json",
        references=rules.collect_references.output.references,
        truth=truth_file(),
        code=library("report", *registry.modules("tables", "apa_tables", "methods")),
        templates=[
            *templates("report", "tables", "manuscript"),
            *family_templates(),
        ],
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


rule check_printed_numbers:
    input:
        report=rules.write_report.output.report,
        findings=rules.write_report.output.findings,
        intake=rules.write_intake_page.output,
        codebook=rules.write_codebook.output,
        tables=rules.make_tables.output,
        figures=rules.draw_figures.output,
        manuscript=rules.write_manuscript.output,
        fits=fit_files(),
        further=further_descriptions(),
        compared=numbers_compared(),
        code=library("findings.verify", "consistency.check"),
        register=PROJECT / "src" / "alliance" / "consistency" / "register.yaml",
    output:
        printed=f"{RESULTS}/checks/printed_numbers.csv",
        concepts=f"{RESULTS}/checks/concepts.csv",
    log:
        f"{RESULTS}/logs/check_printed_numbers.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_printed_numbers.tsv"
    params:
        documents=PRINTED_DOCUMENTS,
        same_words={
            f"manuscript/{name}.md": f"manuscript/{name}.docx"
            for name in ("methods", "results")
        },
        results_folder=subpath(input.report, parent=True),
    message:
        "Check every printed number against its file."
    script:
        "../scripts/check_printed_numbers.py"
