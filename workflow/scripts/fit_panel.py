"""Fit the panel estimators."""

from alliance.families.panel_estimators.model import fit_panel
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_panel(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
