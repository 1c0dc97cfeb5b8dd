"""Draw the figures."""

from alliance.figures import draw_figures
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        draw_figures(
            fits=snakemake.input.fits,
            description=snakemake.input.description,
            further=snakemake.input.further,
            out_folder=snakemake.params.out_folder,
        )
