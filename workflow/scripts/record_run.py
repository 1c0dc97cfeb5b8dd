"""Record versions and hashes of config, environment and code."""

from alliance.running.provenance import record_run
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0]):
        record_run(
            config=snakemake.input.config,
            lock=snakemake.input.lock,
            code=snakemake.input.code,
            run=snakemake.output.run,
            run_config=snakemake.output.run_config,
        )
