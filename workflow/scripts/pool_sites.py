"""Put the sites' tables together."""

from alliance.ingest.pool import pool_sites
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        pool_sites(
            site_folders=snakemake.params.site_folders,
            implausible=snakemake.input.implausible,
            out_folder=snakemake.params.out_folder,
            checks_folder=snakemake.params.checks_folder,
        )
