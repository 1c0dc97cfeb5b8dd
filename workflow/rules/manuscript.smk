"""This part of the workflow writes what goes into a paper: methods, references, tables.

REQUIRED INPUTS
    fits, descriptions, run record = results/<cohort>/...
OUTPUTS
    results/<cohort>/manuscript/references.json         the works cited, CSL-JSON
    results/<cohort>/manuscript/references.bib          the same as BibTeX
    results/<cohort>/manuscript/methods.{md,html,docx}  the methods section, written from what was run
    results/<cohort>/manuscript/results.{md,html,docx}  the results section, written from what was found
    results/<cohort>/manuscript/tables.docx             the tables in the form that papers print
    results/<cohort>/manuscript/checklists.docx         the reporting checklists, filled in
    results/<cohort>/audit/manuscript_findings.json     each printed number: document, file, field
"""


rule collect_references:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=further_descriptions(),
        run=f"{RESULTS}/audit/run.json",
        works=PROJECT / "src" / "alliance" / "manuscript" / "references.yaml",
        code=library("manuscript", *registry.modules("methods")),
    output:
        references=f"{RESULTS}/manuscript/references.json",
        bibliography=f"{RESULTS}/manuscript/references.bib",
    log:
        f"{RESULTS}/logs/collect_references.log",
    benchmark:
        f"{RESULTS}/benchmarks/collect_references.tsv"
    message:
        "Collect the works that the methods text cites."
    script:
        "../scripts/collect_references.py"


rule write_manuscript:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=printed_descriptions(),
        run=f"{RESULTS}/audit/run.json",
        references=rules.collect_references.output.references,
        code=library(
            "manuscript", *registry.modules("tables", "apa_tables", "methods", "found")
        ),
        templates=templates("manuscript", "tables"),
    output:
        methods_markdown=f"{RESULTS}/manuscript/methods.md",
        methods_html=f"{RESULTS}/manuscript/methods.html",
        methods_word=f"{RESULTS}/manuscript/methods.docx",
        results_markdown=f"{RESULTS}/manuscript/results.md",
        results_html=f"{RESULTS}/manuscript/results.html",
        results_word=f"{RESULTS}/manuscript/results.docx",
        tables_word=f"{RESULTS}/manuscript/tables.docx",
        checklists_word=f"{RESULTS}/manuscript/checklists.docx",
        findings=f"{RESULTS}/audit/manuscript_findings.json",
    log:
        f"{RESULTS}/logs/write_manuscript.log",
    benchmark:
        f"{RESULTS}/benchmarks/write_manuscript.tsv"
    message:
        "Write the methods and results sections and the tables of a paper."
    script:
        "../scripts/write_manuscript.py"
