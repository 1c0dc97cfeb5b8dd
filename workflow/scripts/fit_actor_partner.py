"""Fit whose view follows whose."""

from alliance.families.actor_partner.model import fit_actor_partner
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_actor_partner(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
