"""Write the share folder."""

from alliance.running.step import step
from alliance.sharing.release import write_share

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        write_share(
            description=snakemake.input.description,
            dropout=snakemake.input.dropout,
            change=snakemake.input.change,
            fits=snakemake.input.fits,
            out_folder=snakemake.params.out_folder,
        )
