"""Describe the cohort without a model."""

from alliance.panel.describe_cohort import describe_cohort
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        describe_cohort(
            cohort=snakemake.params.cohort,
            title=snakemake.params.title,
            simulated=snakemake.params.simulated,
            measures=snakemake.params.measures,
            dropout=snakemake.params.dropout,
            subscales=snakemake.params.subscales,
            instruments=snakemake.input.instruments,
            clients=snakemake.input.clients,
            responses=snakemake.input.responses,
            quarantine=snakemake.input.quarantine,
            ledger=snakemake.input.ledger,
            scoring_ledger=snakemake.input.scoring_ledger,
            panel=snakemake.input.panel,
            description=snakemake.output.description,
        )
