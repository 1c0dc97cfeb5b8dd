"""Write the methods and results sections and the tables of a paper."""

from alliance.manuscript import Documents, write_manuscript
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        write_manuscript(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            run=snakemake.input.run,
            references=snakemake.input.references,
            documents=Documents(*(snakemake.output[name] for name in Documents._fields)),
            findings=snakemake.output.findings,
        )
