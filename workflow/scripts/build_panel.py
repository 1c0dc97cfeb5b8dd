"""Build the analysis table."""

from alliance.panel.build import build_panel
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        build_panel(
            clients=snakemake.input.clients,
            sessions=snakemake.input.sessions,
            scores=snakemake.input.scores,
            measures=snakemake.params.measures,
            dropout=snakemake.params.dropout,
            subscales=snakemake.params.subscales,
            events=snakemake.input.events,
            change=snakemake.params.change,
            ruptures=snakemake.params.ruptures,
            panel=snakemake.output.panel,
        )
