"""Fit the coupling models under every arm."""

from alliance.families.specifications.model import fit_arms
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_arms(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
