"""Check every printed number against its file, and the numbers of each concept with each other."""

from pathlib import Path

from alliance.consistency.check import contents_of, contradictions, printed_concepts
from alliance.files import write_text
from alliance.findings.verify import verify
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        folder = Path(snakemake.params.results_folder)
        lists = [folder / name for name in {*snakemake.params.documents.values()}]
        contents = contents_of(snakemake.input.compared, folder)
        write_text(printed_concepts(lists, contents), snakemake.output.concepts)
        verify(
            documents=snakemake.params.documents,
            fits=snakemake.input.fits,
            further=snakemake.input.further,
            same_words=snakemake.params.same_words,
            contradictions=contradictions(contents),
            results_folder=folder,
            out=snakemake.output.printed,
        )
