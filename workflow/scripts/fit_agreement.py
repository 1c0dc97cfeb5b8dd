"""Fit how client and therapist agree."""

from alliance.families.agreement.model import fit_agreement
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        fit_agreement(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
        )
