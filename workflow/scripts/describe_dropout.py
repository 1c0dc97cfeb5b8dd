"""Describe who leaves and when, without a model."""

from alliance.panel.describe_dropout import describe_dropout
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        describe_dropout(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            dropout=snakemake.params.dropout,
            instruments=snakemake.input.instruments,
            description=snakemake.output.description,
        )
