"""What a crate says of itself: entities of a Provenance Run Crate (RO-Crate 1.1, profile 0.5).

The workflow is the Snakefile, its tools are the scripts of the rules, and each recorded step of the
run (`alliance.running.steps`) is an action with what it read, its settings and what it made.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance.running.steps import Step

Entity = dict[str, Any]
METADATA = "ro-crate-metadata.json"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
RUN_PROFILES = [
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate"),
]
WORKFLOW, ENGINE, LANGUAGE = "Snakefile", "#engine", "#snakemake"
SCRIPTS = "workflow/scripts"
MIT = "https://spdx.org/licenses/MIT"
TYPES = {
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".yaml": "application/yaml",
}


def metadata(
    cohort: str, title: str, steps: Sequence[Step], run: Mapping[str, Any],
    held: Mapping[str, tuple[int, str]], published: str,
) -> dict[str, Any]:  # fmt: skip
    """Return the content of `ro-crate-metadata.json`.

    Parameters
    ----------
    cohort, title
        Of the config.
    steps
        Of the run, each after those whose files it reads.
    run
        `audit/run.json`.
    held
        Path of each file in the crate to its size in bytes and SHA-256.
    published
        Date of the crate, ISO 8601.
    """
    actions = [entity for step in steps for entity in _of_step(step, held)]
    files = {path: _file(path, size, sha256) for path, (size, sha256) in held.items()}
    files[WORKFLOW] |= _workflow(steps)
    files["README.md"] |= {"about": {"@id": "./"}}
    for script in _tools(steps):
        files[script] |= {"@type": ["File", "SoftwareSourceCode"], "programmingLanguage": "Python"}
    absent = {path: sha for s in steps for path, sha in {**s.inputs, **s.outputs}.items()}
    outside = [_absent(path, sha) for path, sha in sorted(absent.items()) if path not in held]
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": RUN_PROFILES[-1][0]}],
            "about": {"@id": "./"},
        },
        _root(cohort, title, held, [f"#action-{step.name}" for step in steps], published),
        *({"@id": id_, "@type": "CreativeWork", "name": name, "version": id_.rpartition("/")[2]}
          for id_, name in RUN_PROFILES),
        {"@id": MIT, "@type": "CreativeWork", "name": "MIT License"},
        *_software(run),
        *files.values(),
        *outside,
        *actions,
        *_whole_run(cohort, steps, held),
    ]  # fmt: skip
    return {"@context": CONTEXT, "@graph": graph}


def _root(
    cohort: str, title: str, held: Mapping[str, Any], actions: Sequence[str], published: str
) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"A run of the workflow alliance: {title}",
        "description": f"Code, configuration, environment, records and results of the cohort "
        f"{cohort}. README.md says how it is run again and compared.",
        "datePublished": published,
        "license": {"@id": MIT},
        "conformsTo": [{"@id": id_} for id_, _ in RUN_PROFILES],
        "mainEntity": {"@id": WORKFLOW},
        "hasPart": [{"@id": path} for path in held],
        "mentions": [{"@id": id_} for id_ in ("#run", "#organise", *actions)],
    }


def _software(run: Mapping[str, Any]) -> list[Entity]:
    """Return language, engine and the packages of the environment, with their versions."""
    packages = run.get("packages", {})
    engine = {"name": "Snakemake", "url": "https://snakemake.github.io"}
    version = str(packages.get("snakemake", ""))
    return [
        {"@id": LANGUAGE, "@type": "ComputerLanguage", **engine, "version": version},
        {"@id": ENGINE, "@type": "SoftwareApplication", **engine, "softwareVersion": version},
        *(
            {"@id": f"#package-{name}", "@type": "SoftwareApplication", "name": name,
             "softwareVersion": str(number)}
            for name, number in {"python": run.get("python", ""), **packages}.items()
        ),
    ]  # fmt: skip


def _workflow(steps: Sequence[Step]) -> Entity:
    return {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "alliance: from session exports to one report",
        "programmingLanguage": {"@id": LANGUAGE},
        "hasPart": [{"@id": script} for script in _tools(steps)],
        "step": [{"@id": f"#step-{step.name}"} for step in steps],
        "softwareRequirements": {"@id": "requirements.lock"},
        "license": {"@id": MIT},
    }


def _tools(steps: Sequence[Step]) -> list[str]:
    return sorted({_tool(step) for step in steps})


def _tool(step: Step) -> str:
    rule = step.name.partition(".")[0]
    return f"{SCRIPTS}/{'fit_family' if rule.startswith('fit_') else rule}.py"


def _of_step(step: Step, held: Mapping[str, Any]) -> list[Entity]:
    """Return the step of the recipe, its execution by the engine, and the action of its tool."""
    settings = [
        {"@id": f"#setting-{step.name}-{name}", "@type": "PropertyValue", "name": name,
         "value": json.dumps(value, ensure_ascii=False, sort_keys=True)}
        for name, value in step.settings.items()
    ]  # fmt: skip
    read = [{"@id": _id(path, held)} for path in step.inputs]
    return [
        {"@id": f"#step-{step.name}", "@type": "HowToStep", "name": step.name,
         "workExample": {"@id": _tool(step)}},
        {"@id": f"#control-{step.name}", "@type": "ControlAction", "name": f"run {step.name}",
         "instrument": {"@id": f"#step-{step.name}"}, "object": {"@id": f"#action-{step.name}"}},
        {"@id": f"#action-{step.name}", "@type": "CreateAction", "name": step.name,
         "actionStatus": "http://schema.org/CompletedActionStatus",
         "instrument": {"@id": _tool(step)},
         "object": [*read, *({"@id": entity["@id"]} for entity in settings)],
         "result": [{"@id": _id(path, held)} for path in step.outputs]},
        *settings,
    ]  # fmt: skip


def _whole_run(cohort: str, steps: Sequence[Step], held: Mapping[str, Any]) -> list[Entity]:
    made = {path for step in steps for path in step.outputs}
    read = sorted({path for step in steps for path in step.inputs} - made)
    final = sorted(path for path in made if path.startswith(f"results/{cohort}/"))
    return [
        {"@id": "#run", "@type": "CreateAction", "name": f"run of the cohort {cohort}",
         "actionStatus": "http://schema.org/CompletedActionStatus",
         "instrument": {"@id": WORKFLOW},
         "object": [{"@id": _id(path, held)} for path in read],
         "result": [{"@id": _id(path, held)} for path in final]},
        {"@id": "#organise", "@type": "OrganizeAction", "name": "Snakemake runs the steps",
         "instrument": {"@id": ENGINE}, "result": {"@id": "#run"},
         "object": [{"@id": f"#control-{step.name}"} for step in steps]},
    ]  # fmt: skip


def _id(path: str, held: Mapping[str, Any]) -> str:
    return path if path in held else f"#{path}"


def _file(path: str, size: int, sha256: str) -> Entity:
    suffix = Path(path).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "text/plain"
    return {"@id": path, "@type": "File", "name": Path(path).name, "contentSize": str(size),
            "sha256": sha256, "encodingFormat": kind}  # fmt: skip


def _absent(path: str, sha256: str) -> Entity:
    """Return what a step read or made and the crate does not hold: data may not leave the lab."""
    return {"@id": f"#{path}", "@type": "CreativeWork", "name": path, "sha256": sha256,
            "description": "not in the crate"}  # fmt: skip
