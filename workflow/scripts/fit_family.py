"""Fit all models of one family."""

from alliance.families.family import load
from alliance.families.fitting import fit_family
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        fit_family(
            load(snakemake.params.fit),
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            models=snakemake.params.models,
            fits=snakemake.output.fits,
            rows=snakemake.output.rows,
        )
