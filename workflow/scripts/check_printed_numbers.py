"""Check every printed number against its file, and every test against itself."""

from alliance.findings.verify import verify
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        verify(
            documents=snakemake.params.documents,
            fits=snakemake.input.fits,
            further=snakemake.input.further,
            same_words=snakemake.params.same_words,
            results_folder=snakemake.params.results_folder,
            out=snakemake.output[0],
        )
