"""Compare the numbers of each concept over all files."""

from alliance.consistency.check import compare_numbers
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        compare_numbers(
            sources=snakemake.input.sources,
            results_folder=snakemake.params.results_folder,
            consistency=snakemake.output.consistency,
        )
