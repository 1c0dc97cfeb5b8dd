"""Record versions and hashes of config, environment and code, and deviations from the plan."""

from alliance.audit.plan import list_deviations
from alliance.running.provenance import record_run
from alliance.running.step import step

if __name__ == "__main__":
    with step(snakemake.log[0], snakemake):
        record_run(
            config=snakemake.input.config,
            lock=snakemake.input.lock,
            code=snakemake.input.code,
            run=snakemake.output.run,
            run_config=snakemake.output.run_config,
        )
        list_deviations(
            config=snakemake.input.config,
            frozen=snakemake.input.frozen or None,
            code=snakemake.input.code,
            out=snakemake.output.deviations,
        )
