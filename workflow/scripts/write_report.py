"""Write the report and the list of its numbers."""

from alliance.report import write_report
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        write_report(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            figures_folder=snakemake.params.figures_folder,
            references=snakemake.input.references,
            truth=snakemake.input.get("truth"),
            run=snakemake.input.run,
            report=snakemake.output.report,
            findings=snakemake.output.findings,
        )
