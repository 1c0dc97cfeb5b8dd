"""Fill in the reporting checklists."""

from alliance.checklists import fill_checklists
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        fill_checklists(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            run=snakemake.input.run,
            checklists=snakemake.output.checklists,
        )
