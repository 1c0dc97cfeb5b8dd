"""Fit the parallel processes."""

from alliance.models.parallel import fit_parallel
from alliance.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_parallel(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
