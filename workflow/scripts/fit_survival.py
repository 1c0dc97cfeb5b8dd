"""Fit when clients leave, in continuous time."""

from alliance.families.continuous_time.model import fit_survival
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_survival(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
