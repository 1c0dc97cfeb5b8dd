"""Fit the parallel processes."""

from alliance.families.parallel_growth.model import fit_parallel
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_parallel(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
