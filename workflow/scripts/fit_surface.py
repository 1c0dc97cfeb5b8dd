"""Fit the response surfaces."""

from alliance.models.surface import fit_surface
from alliance.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_surface(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
