"""Draw the course of every client, into the private folder."""

from alliance.figures.private_courses import draw_private_courses
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        draw_private_courses(
            panel=snakemake.input.panel,
            measures=snakemake.params.measures,
            courses=snakemake.output.courses,
        )
