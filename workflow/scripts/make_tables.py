"""Make the tables."""

from alliance.running.step import step
from alliance.tables import make_tables

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        make_tables(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            out_folder=snakemake.params.out_folder,
            findings=snakemake.output.findings,
        )
