"""From the session exports of several clinics to one report: the table of contents.

Run `make demo`, or `snakemake` for the demo cohort, or
`snakemake --config cohort_config=config/mylab.yaml` for another one.
"""

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/intake_page.smk"
include: "workflow/rules/measures.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/codebook.smk"
include: "workflow/rules/manuscript.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/audit/findings.json",
        f"{RESULTS}/checks/problems.csv",
        rules.write_intake_page.output,
        rules.write_codebook.output,
        rules.draw_figures.output,
        rules.make_tables.output,
        rules.collect_references.output,
        rules.write_manuscript.output,
        rules.check_printed_numbers.output,
    message:
        "The report of cohort {COHORT} is at {RESULTS}/report.html."
