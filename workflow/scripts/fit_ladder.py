"""Fit the growth ladders."""

from alliance.families.growth_shape.model import fit_ladder
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_ladder(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
