"""Fit the dropout models."""

from alliance.families.hazard import fit_dropout
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_dropout(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
