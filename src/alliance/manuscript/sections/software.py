"""Software, versions and fingerprints: what another lab needs to get the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.families.facts import Estimator
from alliance.manuscript.blocks import Block, Fixed, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import heading, joined, listed, paragraphs, say, text

# Name of a package, how it is printed, its paper, and whether every run uses it.
PACKAGES = (
    ("numpy", "NumPy", "harris2020", True),
    ("scipy", "SciPy", "virtanen2020", True),
    ("pandas", "pandas", "mckinney2010", True),
    ("statsmodels", "statsmodels", "seabold2010", False),
    ("linearmodels", "linearmodels", "sheppard", False),
    ("matplotlib", "Matplotlib", "hunter2007", True),
    ("seaborn", "seaborn", "waskom2021", True),
    ("snakemake", "Snakemake", "molder2021", True),
)

# Estimators beside a model's own that another package computed.
BESIDE = {
    Estimator.FIXED_EFFECTS: "linearmodels",
    Estimator.AVERAGED_OVER_THERAPISTS: "statsmodels",
    Estimator.WITHOUT_RANDOM_EFFECTS: "statsmodels",
}


def software(material: Material) -> list[Block]:
    """Return the section on software and on how the results can be made again."""
    blocks = paragraphs(_programs(material), _fingerprints(material))
    return [heading("Software and reproducibility"), *blocks] if blocks else []


def _programs(material: Material) -> Words:
    run = material.run
    if "version" not in run:
        return ()
    words = say("All results were computed by the program alliance, version ", text(run["version"]))
    if "python" in run:
        words = say(words, ", with Python ", text(run["python"]))
    each = [
        say(printed, " ", text(run["packages"][name]), " ", material.references.cite(work))
        for name, printed, work, always in PACKAGES
        if is_there(run, "packages")
        and is_there(run["packages"], name)
        and (always or _took_part(material, name))
    ]
    return say(words, " and ", listed(each), ".") if each else say(words, ".")


def _took_part(material: Material, package: str) -> bool:
    """Say whether an estimate of a fit, or the one beside it, comes from a package."""
    return any(package in _engines(fit.raw) for fit in material.usable())


def _engines(fit: Mapping[str, Any]) -> set[str]:
    """Return the packages that computed a fit, its second engine, and what stands beside it."""
    second = fit["second_engine"] or {"name": ""}
    beside = {entry["estimator"]["code"] for entry in fit["companions"]}
    return {
        fit["engine"]["name"],
        second["name"].partition(" ")[0],
        *(package for code, package in BESIDE.items() if code in beside),
    }


def _fingerprints(material: Material) -> Words:
    run = material.run
    kinds = {"config_sha256": "configuration", "lock_sha256": "environment", "code_sha256": "code"}
    prints = [
        say(f"{what} ", text(run[key], "digest")) for key, what in kinds.items() if key in run
    ]
    fits = material.fits()
    if fits:
        prints.append(say("analysed table ", text(fits[0]["data"]["panel_sha256"], "digest")))
    if not prints:
        return ()
    words = say("Fingerprints (beginnings of ", Fixed("SHA-256"), "): ", joined(prints, ", "), ". ")
    measurement = material.about("measurement")
    if measurement is not None:
        words = say(words, "Random numbers start from the seed ",
                    text(measurement["seed"], "text"), ". ")  # fmt: skip
    return say(words, "The same data, configuration, environment and code give the same results, "
               "byte for byte. Every number in this text is kept on record with the file and the "
               "field that it was read from.")  # fmt: skip
