"""Fit the growth models."""

from alliance.families.growth.model import fit_growth
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_growth(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
