"""Collect the works that the methods text cites."""

from alliance.manuscript import collect_references
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        collect_references(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            run=snakemake.input.run,
            references=snakemake.output.references,
            bibliography=snakemake.output.bibliography,
        )
