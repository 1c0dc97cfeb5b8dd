"""Describe how well the cohort's measures measure."""

from alliance.measures.describe import describe_measures
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        describe_measures(
            clients=snakemake.input.clients,
            sessions=snakemake.input.sessions,
            responses=snakemake.input.responses,
            scores=snakemake.input.scores,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            seed=snakemake.params.seed,
            measurement=snakemake.output.measurement,
        )
