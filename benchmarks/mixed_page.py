"""From measurements to `docs/mixed_benchmarks.md` and `docs/mixed_scaling.svg`."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ENGINE = "alliance.mixed"
SIZES = ("S", "M", "L", "XL")
TITLES = {
    "core": "Three levels: therapist intercept, correlated client intercept and slope (REML)",
    "irregular": "The same with irregular times",
    "ar1": "The same with AR(1) residuals and 30 % of the sessions missing",
    "several": "Two outcomes at once: four effects per client, residual covariance (REML)",
    "kr": "Kenward-Roger degrees of freedom and adjusted standard errors",
    "bootstrap": "1,000 parametric bootstrap refits",
}
NOTES = {
    "core": "Time of the fit with standard errors, data in memory.",
    "irregular": (
        "Sessions lie up to half a week late, so no two clients share a pattern of sessions and "
        "nothing can be shared between them."
    ),
    "ar1": "nlme turns corAR1 with gaps into ARMA(1, 0), the same likelihood.",
    "several": (
        "Rows are sessions; each of the two outcomes is missing in 10 % of them. nlme gets them "
        "stacked, with varIdent and corSymm within the session: the same model. lme4 has neither "
        "residual covariance nor a variance per outcome."
    ),
    "kr": (
        "Time of the adjusted covariance and the degrees of freedom of every coefficient, for "
        "both without the fit before them (for this project: the difference between a fit with "
        "and a fit without them, at least 0.1 ms); the time with the fit stands in the remark, "
        "and the ratio is that of the times with the fit."
    ),
    "bootstrap": "lme4: extrapolated from 4 refits.",
}


def machine() -> dict[str, str]:
    """Describe what the numbers depend on."""
    cpu = "unknown"
    memory = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), cpu)
        total_kb = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
        memory = f"{int(total_kb) / 2**20:.0f} GB"
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores seen, one used by each process",
        "memory": memory,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def find(results: list[dict], task: str, size: str, peer: str) -> dict:
    """One measurement; an empty one where there is none."""
    for entry in results:
        if (entry["task"], entry["size"], entry["peer"]) == (task, size, peer):
            return entry
    return {}


def seconds_text(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:,.0f}"


def time_of(entry: dict) -> float | None:
    """Seconds of the processor: what the clock would show on an idle machine."""
    return entry.get("processor_seconds")


def ratio_text(times: float) -> str:
    return f"{times:,.0f}" if times >= 10 else f"{times:.1f}"


def ratio(results: list[dict], task: str, size: str, peer: str) -> float | None:
    """How many times longer the peer takes than the engine."""
    theirs = time_of(find(results, task, size, peer))
    ours = time_of(find(results, task, size, ENGINE))
    return theirs / ours if theirs and ours else None


def task_table(results: list[dict], task: str) -> list[str]:
    """Set the measurements of one task as a Markdown table."""
    lines = [
        "| size | rows | software | seconds | of the processor | ratio | log-likelihood minus ours "
        "| peak memory, MB | remark |",
        "|---|--:|---|--:|--:|--:|--:|--:|---|",
    ]
    for size in SIZES:
        ours = find(results, task, size, ENGINE)
        here = [e for e in results if (e["task"], e["size"]) == (task, size)]
        for entry in sorted(here, key=lambda e: (time_of(e) is None, time_of(e) or 0.0)):
            lines.append(task_line(entry, ours, shown_ratio(results, task, size, entry["peer"])))
    return lines


def shown_ratio(results: list[dict], task: str, size: str, peer: str) -> float | None:
    """Ratio of the table: for Kenward-Roger with the fits, because a difference may be noise."""
    if task != "kr":
        return ratio(results, task, size, peer)
    both = (find(results, task, size, name) for name in (peer, ENGINE))
    theirs, ours = (entry.get("seconds_with_fit") for entry in both)
    return theirs / ours if theirs and ours else None


def task_line(entry: dict, ours: dict, times: float | None) -> str:
    name = entry["peer"] + (f" {entry['version']}" if entry.get("version") else "")
    if "failed" in entry:
        start = f"| {entry['size']} | {entry['rows']:,} | {name} "
        return start + f"| - | - | - | - | - | {entry['failed']} |"
    difference = "-"
    known = entry.get("log_likelihood") is not None and ours.get("log_likelihood") is not None
    if known and entry["peer"] != ENGINE:
        difference = f"{entry['log_likelihood'] - ours['log_likelihood']:+.1e}"
    remarks = [entry["note"]] if entry.get("note") else []
    if entry.get("seconds_with_satterthwaite"):
        remarks.append(f"with Satterthwaite {seconds_text(entry['seconds_with_satterthwaite'])} s")
    if entry.get("seconds_with_fit"):
        remarks.append(f"with the fit {seconds_text(entry['seconds_with_fit'])} s")
    if entry.get("phi") is not None:
        remarks.append(f"phi {entry['phi']:.6f}")
    if entry.get("converged") is False:
        remarks.append("says it did not converge")
    if entry["peer"] == ENGINE:
        remarks.append(f"first call {seconds_text(entry['first_seconds'])} s")
    processor = seconds_text(entry["processor_seconds"]) if "processor_seconds" in entry else "-"
    peak = f"{entry['peak_mb']:,.0f}" if entry.get("peak_mb") else "-"
    shown = "1" if entry["peer"] == ENGINE else (ratio_text(times) if times else "-")
    return (
        f"| {entry['size']} | {entry['rows']:,} | {name} | {seconds_text(entry['seconds'])} "
        f"| {processor} | {shown} | {difference} | {peak} | {'; '.join(remarks)} |"
    )


def targets(results: list[dict]) -> list[str]:
    """Each figure to reach, what was measured, and whether it was reached."""
    rows: list[tuple[str, str, str, bool | None]] = []

    def at_least(task: str, size: str, peer: str, goal: float) -> None:
        times = ratio(results, task, size, peer)
        failed = find(results, task, size, peer).get("failed")
        shown = f"{ratio_text(times)}x" if times else (failed or "not measured")
        met = None if times is None else times >= goal
        if times is None and failed and failed.startswith("not finished"):
            ours = time_of(find(results, task, size, ENGINE))
            limit = float(failed.split()[-2])
            if ours and limit / ours >= goal:
                shown, met = f"more than {limit / ours:,.0f}x ({failed})", True
        rows.append((f"{task}, {size}, beside {peer}", f"at least {goal:,.0f}x", shown, met))

    def at_most(what: str, found: float | None, goal: float, unit: str) -> None:
        shown = "not measured" if found is None else f"{found:.3g} {unit}"
        rows.append(
            (what, f"under {goal:g} {unit}", shown, None if found is None else found < goal)
        )

    at_least("core", "M", "lme4", 100)
    at_least("core", "M", "mixedlm", 8)
    at_least("core", "L", "lme4", 400)
    at_least("core", "L", "mixedlm", 50)
    largest = find(results, "core", "XL", ENGINE)
    at_most("core, XL, time", time_of(largest), 3, "s")
    peak = largest.get("peak_mb")
    at_most("core, XL, peak memory", None if peak is None else peak / 1024, 3, "GB")
    at_least("ar1", "M", "nlme", 300)
    at_most("ar1, M, phi from nlme's", phi_difference(results), 1e-4, "")
    at_most("several, M, time", time_of(find(results, "several", "M", ENGINE)), 1, "s")
    at_least("kr", "S", "pbkrtest", 300)
    whole = [
        find(results, "kr", "S", peer).get("seconds_with_fit") for peer in ("pbkrtest", ENGINE)
    ]
    times = whole[0] / whole[1] if all(whole) else None
    shown = "not measured" if times is None else f"{times:,.0f}x"
    met = None if times is None else times >= 300
    rows.append(("kr, S, both with the fit", "at least 300x", shown, met))
    at_most("kr, S, df from pbkrtest's, relative", df_difference(results), 1e-3, "")
    for size, goal in (("M", 0.2), ("L", 2)):
        whole = find(results, "kr", size, ENGINE).get("seconds_with_fit")
        at_most(f"kr with the fit, {size}", whole, goal, "s")
    at_most("bootstrap, M", time_of(find(results, "bootstrap", "M", ENGINE)), 15, "s")
    words = {True: "yes", False: "**no**", None: "-"}
    return [
        "| what | target | measured | reached |",
        "|---|---|---|---|",
        *(f"| {what} | {goal} | {shown} | {words[met]} |" for what, goal, shown, met in rows),
    ]


def phi_difference(results: list[dict]) -> float | None:
    ours, theirs = (find(results, "ar1", "M", peer).get("phi") for peer in (ENGINE, "nlme"))
    return None if ours is None or theirs is None else abs(ours - theirs)


def df_difference(results: list[dict]) -> float | None:
    ours, theirs = (find(results, "kr", "S", peer).get("df") for peer in (ENGINE, "pbkrtest"))
    if ours is None or theirs is None:
        return None
    return max(abs(a / b - 1) for a, b in zip(ours, theirs, strict=True))


def scaling_plot(results: list[dict], path: Path) -> None:
    """Seconds against rows of the core model, both axes logarithmic."""
    plt.rcParams.update({"svg.hashsalt": "mixed_scaling", "svg.fonttype": "none"})
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    peers = dict.fromkeys(e["peer"] for e in results if e["task"] == "core" and "seconds" in e)
    for peer in peers:
        found = [find(results, "core", size, peer) for size in SIZES]
        points = [(e["rows"], time_of(e)) for e in found if "seconds" in e]
        axes.loglog(
            *zip(*points, strict=True),
            marker="o",
            linewidth=2.5 if peer == ENGINE else 1.2,
            label=peer,
        )
    axes.set_xlabel("rows (sessions)")
    axes.set_ylabel("seconds for one REML fit with standard errors")
    axes.set_title("Three-level growth model, one core", loc="left")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def write(body: dict, docs: Path) -> None:
    """Write the page and the picture."""
    results = body["results"]
    docs.mkdir(exist_ok=True)
    scaling_plot(results, docs / "mixed_scaling.svg")
    when = sorted(entry["at"] for entry in results)
    lines = [
        "# The mixed-model engine beside its peers",
        "",
        "Written by `benchmarks/mixed_vs_peers.py`; how to repeat it stands in",
        "`benchmarks/README.md`. Data are simulated (`benchmarks/mixed_data.py`): sessions in",
        "clients in therapists, 4 to 20 sessions per client. Each measurement is a process of its",
        "own on one core; short fits are repeated up to five times and the fastest counts, for",
        "every software alike. Ratios and targets are judged by the time of the processor, which",
        "is what the clock shows on an idle machine; where the clock shows more, something else",
        "was running. Ratio: how many times as long as this project.",
        "",
        *(f"- {key}: {value}" for key, value in body["machine"].items()),
        f"- measured: {when[0]} to {when[-1]}" if when else "- nothing measured",
        "",
        "![seconds against rows](mixed_scaling.svg)",
        "",
        "## Targets",
        "",
        *targets(results),
    ]
    for task, title in TITLES.items():
        if any(entry["task"] == task for entry in results):
            lines += ["", f"## {title}", "", NOTES[task], "", *task_table(results, task)]
    remarks = Path(__file__).parent / "mixed_remarks.md"
    if remarks.exists():
        lines += ["", remarks.read_text().rstrip()]
    (docs / "mixed_benchmarks.md").write_text("\n".join(lines) + "\n")
