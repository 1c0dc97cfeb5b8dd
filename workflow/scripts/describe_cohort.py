"""Describe the cohort without a model."""

from alliance.panel.describe_cohort import Processed, describe_cohort
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        describe_cohort(
            cohort=snakemake.params.cohort,
            title=snakemake.params.title,
            simulated=snakemake.params.simulated,
            measures=snakemake.params.measures,
            dropout=snakemake.params.dropout,
            subscales=snakemake.params.subscales,
            instruments=snakemake.input.instruments,
            processed=Processed(*(snakemake.input[table] for table in Processed._fields)),
            description=snakemake.output.description,
        )
