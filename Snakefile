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
include: "workflow/rules/share.smk"


# On a cluster each job reads this file again, while others write.
if config.get("only_vouched") and workflow.is_main_process:
    drop_what_nobody_vouches_for()


rule all:
    default_target: True
    input:
        everything_made(),
    message:
        "The report of cohort {COHORT} is at {RESULTS}/report.html."
