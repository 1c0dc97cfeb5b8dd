"""Judge change and ruptures, and what chance alone would find."""

from alliance.measures.describe_change import describe_change
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        describe_change(
            panel=snakemake.input.panel,
            events=snakemake.input.events,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            change=snakemake.params.change,
            ruptures=snakemake.params.ruptures,
            observers=snakemake.params.observers,
            seed=snakemake.params.seed,
            described=snakemake.output.change,
            private=snakemake.output.private,
        )
