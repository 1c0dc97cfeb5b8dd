"""Fit models site by site."""

from alliance.models.by_site import fit_by_site
from alliance.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_by_site(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
