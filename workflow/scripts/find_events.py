"""Find sudden gains and losses, ruptures and repairs."""

from alliance.measures.events import find_events
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        find_events(
            scores=snakemake.input.scores,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            change=snakemake.params.change,
            ruptures=snakemake.params.ruptures,
            events=snakemake.output.events,
        )
