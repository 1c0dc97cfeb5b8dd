"""Fit the response surfaces."""

from alliance.families.surface.model import fit_surface
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_surface(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
