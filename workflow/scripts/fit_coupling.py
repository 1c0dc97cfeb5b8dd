"""Fit the coupling models."""

from alliance.families.coupling.model import fit_coupling
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_coupling(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
