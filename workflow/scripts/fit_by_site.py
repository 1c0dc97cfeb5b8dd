"""Fit models site by site."""

from alliance.families.by_site.model import fit_by_site
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_by_site(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
