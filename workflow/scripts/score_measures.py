"""Score every questionnaire by its key."""

from alliance.measures.scoring import score_measures
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        score_measures(
            responses=snakemake.input.responses,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            scores=snakemake.output.scores,
            ledger=snakemake.output.ledger,
        )
