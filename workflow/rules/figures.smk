"""This part of the workflow draws and tabulates what the fits and the description say.

REQUIRED INPUTS
    fits        = results/<cohort>/fits/*.json
    description = results/<cohort>/description.json
OUTPUTS
    results/<cohort>/figures/<name>.{png,svg,pdf}
    results/<cohort>/figures/diagnostics_<model>.{png,svg,pdf}
    results/<cohort>/tables/<name>.{csv,html}

Nothing is computed here.
"""

from alliance.figures import FIGURES, diagnostics_figures
from alliance.tables import TABLES as PRINTED_TABLES


rule draw_figures:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=further_descriptions(),
        code=library("figures"),
    output:
        collect(
            f"{RESULTS}/figures/{{name}}.{{kind}}",
            name=[*FIGURES, *diagnostics_figures(cohort["models"]).values()],
            kind=["png", "svg", "pdf"],
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


rule make_tables:
    input:
        fits=fit_files(),
        description=f"{RESULTS}/description.json",
        further=further_descriptions(),
        code=library("tables"),
        templates=templates("tables"),
    output:
        collect(
            f"{RESULTS}/tables/{{name}}.{{kind}}",
            name=PRINTED_TABLES,
            kind=["csv", "html"],
        ),
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
