"""Write the data page, and the list of problems that each site is asked to mend."""

from alliance.intake_page import write_intake_page
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        write_intake_page(
            cohort=snakemake.params.cohort,
            title=snakemake.params.title,
            simulated=snakemake.params.simulated,
            measures=snakemake.params.measures,
            site_folders=snakemake.params.site_folders,
            implausible=snakemake.input.implausible,
            description=snakemake.output.description,
            page=snakemake.output.page,
            findings=snakemake.output.findings,
            queries=snakemake.output.queries,
        )
