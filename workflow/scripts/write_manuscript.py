"""Write the methods section and the tables of a paper."""

from alliance.manuscript import write_manuscript
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        write_manuscript(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            run=snakemake.input.run,
            references=snakemake.input.references,
            methods_markdown=snakemake.output.methods_markdown,
            methods_html=snakemake.output.methods_html,
            methods_word=snakemake.output.methods_word,
            tables_word=snakemake.output.tables_word,
            checklists_word=snakemake.output.checklists_word,
            findings=snakemake.output.findings,
        )
