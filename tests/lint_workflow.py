"""Run `snakemake --lint`; every finding counts but one.

Snakemake wants a conda environment or container in each rule. This project has one locked
environment for all of them (docs/architecture.md), so that finding is expected for every rule.
"""

import re
import subprocess
import sys

EXPECTED = "Specify a conda environment or container for each rule."

if __name__ == "__main__":
    lint = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], capture_output=True, text=True, check=False
    )
    output = lint.stdout + lint.stderr
    found = re.findall(r"^ {4}\* (.*?):?$", output, flags=re.MULTILINE)
    others = [finding for finding in found if finding != EXPECTED]
    if others or not found:
        print(output)
        sys.exit(1)
