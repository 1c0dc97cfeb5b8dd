"""Adjust p values for the number of tests: primary and exploratory."""

from alliance.families.multiplicity import adjust_for_many_tests
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        adjust_for_many_tests(
            fits=snakemake.input.fits,
            measurement=snakemake.input.measurement,
            primary=snakemake.params.primary,
            multiplicity=snakemake.output.multiplicity,
        )
