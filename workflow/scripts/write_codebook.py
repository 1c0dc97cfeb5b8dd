"""Write the codebook and the data package of the processed tables."""

from alliance.codebook import write_codebook
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        write_codebook(
            cohort=snakemake.params.cohort,
            title=snakemake.params.title,
            simulated=snakemake.params.simulated,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            mappings=snakemake.input.mappings,
            tables=snakemake.input.tables,
            package=snakemake.output.package,
            page=snakemake.output.page,
            findings=snakemake.output.findings,
        )
