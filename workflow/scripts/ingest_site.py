"""Read one site's files, map, type and check them."""

from alliance.ingest.site import ingest_site
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        ingest_site(
            cohort=snakemake.params.cohort,
            site=snakemake.wildcards.site,
            mapping=snakemake.input.mapping,
            raw_folder=snakemake.params.raw_folder,
            raw_files=snakemake.input.get("raw", []),
            measures=snakemake.params.measures,
            instruments=snakemake.input.instruments,
            private_folder=snakemake.params.private_folder,
            simulated=snakemake.params.simulated,
            out_folder=snakemake.params.out_folder,
        )
