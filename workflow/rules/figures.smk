"""This part of the workflow draws and tabulates what the fits and the description say.

REQUIRED INPUTS
    fits        = results/<cohort>/fits/*.json
    description = results/<cohort>/description.json
    checklists  = results/<cohort>/checklists.json   (tables only)
    panel       = data/processed/<cohort>/panel.parquet (for the private courses only)
OUTPUTS
    results/<cohort>/figures/<name>.{png,svg,pdf,csv}   (csv: the numbers that are drawn)
    results/<cohort>/figures/diagnostics_<model>.{png,svg,pdf,csv}
    results/<cohort>/tables/<name>.{csv,html,tex}
    results/<cohort>/audit/tables_findings.json     all numbers printed in the HTML tables
    private/<cohort>/courses.pdf                     every client's course: not to be shared; made
                                                     only where it is asked for by its name

Nothing is computed here.
"""

from alliance.families.family import module_of
from alliance.figures import diagnostics_figures, painters
from alliance.tables import table_names


rule draw_figures:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=further_descriptions(),
        code=library("figures", *map(module_of, painters().values())),
    output:
        collect(
            f"{RESULTS}/figures/{{name}}.{{kind}}",
            name=[*painters(), *diagnostics_figures(cohort["models"]).values()],
            kind=["png", "svg", "pdf", "csv"],
        ),
    log:
        f"{RESULTS}/logs/draw_figures.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw_figures.tsv"
    params:
        out_folder=subpath(output[0], parent=True),
    message:
        "Draw the figures."
    script:
        "../scripts/draw_figures.py"


rule draw_private_courses:
    input:
        panel=f"{PROCESSED}/panel.parquet",
        code=library("figures.private_courses"),
    output:
        courses=f"private/{COHORT}/courses.pdf",
    log:
        f"{RESULTS}/logs/draw_private_courses.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw_private_courses.tsv"
    params:
        measures=lookup("measures", within=cohort),
    message:
        "Draw the course of every client, into the private folder."
    script:
        "../scripts/draw_private_courses.py"


rule make_tables:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=printed_descriptions(),
        code=library("tables", *registry.modules("tables", "apa_tables")),
        templates=templates("tables"),
    output:
        tables=collect(
            f"{RESULTS}/tables/{{name}}.{{kind}}",
            name=table_names(),
            kind=["csv", "html", "tex"],
        ),
        findings=f"{RESULTS}/audit/tables_findings.json",
    log:
        f"{RESULTS}/logs/make_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/make_tables.tsv"
    params:
        out_folder=subpath(output[0], parent=True),
    message:
        "Make the tables."
    script:
        "../scripts/make_tables.py"
