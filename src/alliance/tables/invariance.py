"""The table of measurement invariance over sites and sessions."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.described_measures import NOT_DESCRIBED, number, records_of, rows_of, said
from alliance.tables.layout import Cell, Part, Row, Table, group_row, heading, words


def invariance(results: Results) -> Table:
    """Return the chain of models over sites and over sessions."""
    table = Table(
        "invariance",
        "Does a measure measure the same everywhere?",
        [
            heading("Held equal", numeric=False),
            *map(
                heading,
                (
                    "Chi square (df)",
                    "CFI",
                    "RMSEA",
                    "SRMR",
                    "ΔCFI",
                    "ΔRMSEA",
                    "p of the change",
                ),
            ),
            heading("Holds", numeric=False),
        ],
        notes=[
            "Each line holds equal what the line above does and something more. A step holds if "
            "CFI falls and RMSEA rises by no more than the published bounds (Cheung and Rensvold; "
            "Chen). The test of the change is scaled for clients with several forms and for "
            "answers that are not normal; in large samples it rejects differences that do not "
            "matter.",
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    steps = rows_of(results, "invariance_steps")
    released = rows_of(results, "invariance_releases")
    for row in rows_of(results, "invariance"):
        key = (row["measure"].raw, row["over"].raw)
        table.rows.append(
            group_row(
                Part(row["label"]),
                Part(row["over"], before=", over "),
                Part(row["factors"], before=" (", after=")"),
            )
        )
        table.rows += _groups_in_words(row)
        table.rows += said(row["message"])
        table.rows += [_step(s) for s in steps if (s["measure"].raw, s["over"].raw) == key]
        own = [r for r in released if (r["measure"].raw, r["over"].raw) == key]
        if own:
            parts = [
                part
                for k, release in enumerate(own)
                for part in (
                    Part(release["what"], before="Let differ: " if not k else ", "),
                    Part(release["item"], before=" of "),
                )
            ]
            table.rows.append(group_row(*parts, faint=True))
    return table


def _groups_in_words(row: Field) -> list[Row]:
    parts = [
        part
        for k, group in enumerate(row["groups"])
        for part in (
            Part(group["name"], before="Forms: " if not k else ", "),
            Part(group["forms"], "count", before=" "),
        )
    ]
    parts += [
        part
        for k, group in enumerate(row["left_out"])
        for part in (
            Part(group["name"], before="; left out: " if not k else "; "),
            Part(group["why"], before=", "),
        )
    ]
    return [group_row(*parts, faint=True)] if parts else []


def _step(row: Field) -> Row:
    names = {
        "configural": "the same factors",
        "metric": "loadings",
        "scalar": "loadings and intercepts",
        "strict": "loadings, intercepts, residuals",
    }
    name = names[row["step"].raw] + (", some let differ" if row["partial"].raw else "")
    holds = row["holds"].raw
    verdict = "–" if holds is None else "yes" if holds else "no"
    p = row["change_p_scaled"] if row["change_p_scaled"].raw is not None else row["change_p"]
    chi2 = Cell(
        (Part(row["chi2"], "decimals:1"), Part(row["df"], "count", before=" (", after=")"))
        if row["chi2"].raw is not None
        else ()
    )
    return Row(
        (
            words(name),
            chi2,
            *(number(row[key], "correlation:3") for key in ("cfi", "rmsea", "srmr")),
            *(number(row[key], "correlation:3") for key in ("change_cfi", "change_rmsea")),
            number(p, "p-cell"),
            words(verdict if row["converged"].raw else "no stable solution"),
        ),
        faint=not row["converged"].raw,
    )


invariance_records = records_of(
    "invariance_steps",
    ("measure", "label", "over", "step", "partial", "chi2", "df", "p", "chi2_scaled", "scaling",
     "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr", "change_chi2", "change_df",
     "change_p", "change_chi2_scaled", "change_p_scaled", "change_cfi", "change_rmsea",
     "change_srmr", "holds", "converged", "improper"),
)  # fmt: skip
