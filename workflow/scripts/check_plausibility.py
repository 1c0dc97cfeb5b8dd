"""Look whether the data of all sites is plausible."""

from alliance.ingest.plausible import check_plausibility
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        check_plausibility(
            site_folders=snakemake.params.site_folders,
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            implausible=snakemake.output.implausible,
            private_folder=snakemake.params.private_folder,
        )
