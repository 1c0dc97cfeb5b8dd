"""Tables of the measures: keys and their evidence, reliability, variance, invariance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import (
    Cell,
    Column,
    Part,
    Records,
    Row,
    Table,
    cell,
    group_row,
    heading,
    plain_rows,
    words,
)

NOT_DESCRIBED = "How well the questionnaires measure was not described for this cohort."
SHARE = "correlation:2"


def _rows(results: Results, part: str) -> list[Field]:
    content = results.further.get("measurement")
    return [] if content is None else list(content[part])


def _groups(rows: Sequence[Field], *keys: str) -> Iterator[list[Field]]:
    """Yield the rows with the same values of `keys`, in the order of their first."""
    found: dict[tuple[object, ...], list[Field]] = {}
    for row in rows:
        found.setdefault(tuple(row[key].raw for key in keys), []).append(row)
    yield from found.values()


def _main(results: Results, part: str) -> list[Field]:
    """Return the rows of totals, and of all scores where a key has no total."""
    with_total = {row["measure"].raw for row in _rows(results, "scores") if _is_total(row)}
    return [
        row
        for row in _rows(results, part)
        if _is_total(row) or row["measure"].raw not in with_total
    ]


def _is_total(row: Field) -> bool:
    return bool(row["score"].raw == "total")


def number(field: Field, format: str) -> Cell:
    """Return a cell with a number, or a dash."""
    return words("–") if field.raw is None else cell(field, format)


def with_interval(row: Field, name: str, low: str, high: str, format: str = SHARE) -> Cell:
    """Return `value [low, high]`, the value alone, or a dash."""
    if row[name].raw is None:
        return words("–")
    parts = [Part(row[name], format)]
    if row[low].raw is not None and row[high].raw is not None:
        parts.append(Part(row[low], format, before=" [", after=", "))
        parts.append(Part(row[high], format, after="]"))
    return Cell(tuple(parts))


def _records(part: str, columns: Sequence[str]) -> Callable[[Results], Records]:
    def records(results: Results) -> Records:
        return plain_rows(_rows(results, part), columns)

    return records


def instruments(results: Results) -> Table:
    """Return each measure's key: form, rule for unanswered items, how far it was verified."""
    table = Table(
        "instruments",
        "Measures and their scoring keys",
        [
            *(heading(text, numeric=False) for text in ("Measure", "Instrument", "Rated by")),
            heading("Items"),
            *(heading(t, numeric=False) for t in ("Reversed", "Unanswered items", "Scoring key")),
        ],
        notes=[
            "A key is data: which items make which score, read in a source and checked by test "
            "vectors. One that is known from the literature only is used where the configuration "
            "says that it was compared with the form.",
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    for row in _rows(results, "measures"):
        rule = [Part(row["unanswered"])]
        if row["not_applicable"].raw:
            rule.append(Part(row["not_applicable"], before="; "))
        table.rows.append(
            Row(
                (
                    cell(row["label"]),
                    cell(row["abbreviation"]),
                    cell(row["rater"]),
                    words("totals only")
                    if row.raw.get("totals_only")
                    else cell(row["items"], "count"),
                    cell(row["reversed_items"]),
                    Cell(tuple(rule)),
                    _key_in_words(row),
                )
            )
        )
    return table


def _key_in_words(row: Field) -> Cell:
    contradicted = "; sources contradict each other" if row["disagreements"].raw else ""
    if row["unverified"].raw:
        told = "NOT VERIFIED: known from the literature, used by an explicit choice"
        return words(told + contradicted)
    if row["parts_not_read_in_a_source"].raw:
        return cell(
            row["parts_not_read_in_a_source"],
            "count",
            before="read in a source; parts that are not: ",
            after=contradicted,
        )
    return words("read in a source" + contradicted)


def evidence(results: Results) -> Table:
    """Return how sure each part of each key is, and where it was read."""
    table = Table(
        "evidence",
        "Evidence of the scoring keys",
        [heading(text, numeric=False) for text in ("Part of the key", "How sure", "Where")],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    measures = {row["measure"].raw: row for row in _rows(results, "measures")}
    for rows in _groups(_rows(results, "evidence"), "measure"):
        measure = measures[rows[0]["measure"].raw]
        table.rows.append(group_row(Part(measure["label"]), Part(measure["name"], before=": ")))
        table.rows += [
            Row(
                (cell(row["part"]), cell(row["confidence"]), cell(row["source"])),
                faint=not row["verified"].raw,
            )
            for row in rows
        ]
        table.rows += [
            Row((words("sources disagree"), words(""), cell(text)))
            for text in measure["disagreements"]
        ]
    return table


def scores(results: Results) -> Table:
    """Return the scores of each key: items, rule, range, published alpha."""
    table = Table(
        "scores",
        "Scores",
        [
            heading("Score", numeric=False),
            heading("Rule", numeric=False),
            heading("Items", numeric=False),
            *map(heading, ("Range", "May be unanswered", "Published alpha")),
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    published: dict[tuple[str, str], list[Field]] = {}
    for row in _rows(results, "published_reliability"):
        if row["alpha"].raw is not None:
            published.setdefault((row["measure"].raw, row["score"].raw), []).append(row["alpha"])
    for rows in _groups(_rows(results, "scores"), "measure"):
        for row in rows:
            alphas = published.get((row["measure"].raw, row["score"].raw), [])
            span = (
                words("–")
                if row["lowest"].raw is None
                else Cell(
                    (Part(row["lowest"], "general", after="–"), Part(row["highest"], "general"))
                )
            )
            table.rows.append(
                Row(
                    (
                        cell(row["label"]),
                        cell(row["rule"]),
                        cell(row["items"]),
                        span,
                        number(row["unanswered_most"], "count"),
                        Cell(
                            tuple(
                                Part(alpha, SHARE, before="; " if k else "")
                                for k, alpha in enumerate(alphas)
                            ),
                            text="" if alphas else "–",
                        ),
                    )
                )
            )
    return table


def prorating(results: Results) -> Table:
    """Return complete, prorated, refused and missing forms by session."""
    parts = ("complete", "prorated", "refused", "no_form")
    table = Table(
        "prorating",
        "What scores rest on, by session",
        [
            heading("Session", numeric=False),
            *map(heading, ("Sessions", "Forms", "Complete", "Prorated", "Refused", "No form")),
        ],
        notes=["Sessions with fewer than eight forms are counted in the first line only."],
        empty=NOT_DESCRIBED,
    )
    for rows in _groups(_main(results, "prorating"), "label"):
        table.rows.append(group_row(Part(rows[0]["label"])))
        for row in rows:
            name = words("all") if row["session"].raw == "all" else cell(row["session"])
            counts = (cell(row[key], "count") for key in ("sessions", "forms", *parts))
            table.rows.append(Row((name, *counts)))
    return table


def items(results: Results) -> Table:
    """Return how each item fits the others."""
    table = Table(
        "items",
        "Items",
        [
            heading("Item", numeric=False),
            *map(heading, ("Answered", "Unanswered, %", "Mean", "With the sum of the others")),
        ],
        notes=[
            "After reversing. A correlation with the sum of the other items near zero, or below "
            "it, is the mark of an item that was coded the wrong way round or does not belong.",
        ],
        empty=NOT_DESCRIBED,
    )
    for rows in _groups(_rows(results, "items"), "label"):
        table.rows.append(group_row(Part(rows[0]["label"])))
        table.rows += [
            Row(
                (
                    cell(row["item"]),
                    cell(row["answered"], "count"),
                    number(row["unanswered_percent"], "decimals:1"),
                    number(row["mean"], "decimals:2"),
                    number(row["item_rest"], SHARE),
                )
            )
            for row in rows
        ]
    return table


def _forms_of(row: Field) -> Cell:
    if row["site"].raw != "all":
        return cell(row["site"])
    session = row["session"]
    if session.raw == "all":
        return words("all forms")
    if session.raw == "last":
        return words("last session")
    return cell(session, before="session ")


def reliability(results: Results) -> Table:
    """Return alpha and omega of every score, over all forms, by session and by site."""
    table = Table(
        "reliability",
        "Internal consistency",
        [
            heading("Forms of", numeric=False),
            *map(heading, ("Clients", "Forms", "Items", "Alpha", "Omega")),
            heading("Remark", numeric=False),
        ],
        notes=[
            "Alpha: Cronbach. Omega: total, of one factor by maximum likelihood. In brackets "
            "bootstrap intervals over clients at the usual level of confidence.",
        ],
        empty=NOT_DESCRIBED,
    )
    for rows in _groups(_rows(results, "reliability"), "label"):
        table.rows.append(group_row(Part(rows[0]["label"])))
        for row in rows:
            table.rows.append(
                Row(
                    (
                        _forms_of(row),
                        *(cell(row[key], "count") for key in ("clients", "forms", "items")),
                        with_interval(row, "alpha", "alpha_low", "alpha_high"),
                        with_interval(row, "omega", "omega_low", "omega_high"),
                        cell(row["message"]) if row["message"].raw else words(""),
                    )
                )
            )
    return table


def _said(message: Field) -> list[Row]:
    """Return a line with a message, or none."""
    return [group_row(Part(message), faint=True)] if message.raw else []


def generalizability(results: Results) -> Table:
    """Return generalizability coefficients and multilevel omega of every score."""
    table = Table(
        "generalizability",
        "Telling clients, and sessions of a client, apart",
        [
            heading("Coefficient", numeric=False),
            heading("Reliability of", numeric=False),
            heading("Sessions"),
            heading("Value"),
        ],
        notes=[
            "Nested: session numbers of two clients have nothing in common (the default for "
            "therapy). Crossed: a session is the same occasion for everybody. Intervals by "
            "bootstrap over clients for the nested design; none are computed for the crossed one.",
            "Multilevel omega of observed means and deviations; those of latent ones stand in the "
            "file beside this table.",
        ],
        empty=NOT_DESCRIBED,
    )
    omegas = [row for row in _rows(results, "multilevel_omega") if row["printed"].raw]
    coefficients = _rows(results, "coefficients")
    for row in _rows(results, "generalizability"):
        label = row["label"].raw
        table.rows.append(
            group_row(
                Part(row["label"]),
                Part(row["clients"], "count", before=": ", after=" clients"),
                Part(row["forms"], "count", before=", ", after=" complete forms"),
                Part(row["incomplete_forms"], "count", before=", ", after=" incomplete left out"),
            )
        )
        table.rows += _said(row["message"])
        for coefficient in (c for c in coefficients if c["label"].raw == label):
            design = coefficient["design"].raw
            table.rows.append(
                Row(
                    (
                        cell(coefficient["name"], after=f" ({design})"),
                        cell(coefficient["meaning"]),
                        number(coefficient["sessions"], "decimals:1"),
                        with_interval(coefficient, "value", "low", "high"),
                    )
                )
            )
        for omega in (o for o in omegas if o["label"].raw == label):
            if omega["kind"].raw:
                table.rows.append(
                    Row(
                        (
                            words("multilevel omega"),
                            cell(omega["meaning"]),
                            number(omega["forms_per_client"], "decimals:1")
                            if omega["kind"].raw == "between"
                            else words("–"),
                            with_interval(omega, "estimate", "low", "high"),
                        )
                    )
                )
        notes = {o["message"].raw: o["message"] for o in omegas if o["label"].raw == label}
        table.rows += [said for note in notes.values() for said in _said(note)]
    return table


def decision(results: Results) -> Table:
    """Return the reliability of a client's mean by number of sessions, and how many it takes."""
    table = Table(
        "decision",
        "How many sessions a client's mean needs",
        [heading("Sessions", numeric=False)],
        notes=["In brackets bootstrap intervals over clients."],
        empty=NOT_DESCRIBED if results.further.get("measurement") is None else
        "It could not be computed: the table of generalizability says why.",
        wide=True,
    )  # fmt: skip
    groups = list(_groups(_rows(results, "decision"), "label"))
    if not groups:
        return table
    table.columns += [Column(cell(rows[0]["label"])) for rows in groups]
    for k, row in enumerate(groups[0]):
        values = (with_interval(rows[k], "reliability", "low", "high") for rows in groups)
        table.rows.append(Row((cell(row["sessions"], "count"), *values)))
    needed = list(_groups(_rows(results, "sessions_needed"), "label"))
    table.rows.append(Row((words("Sessions needed for a reliability of"),), group=True))
    for k, row in enumerate(needed[0]):
        table.rows.append(
            Row(
                (
                    cell(row["target"], "correlation:1"),
                    *(number(rows[k]["sessions"], "count") for rows in needed),
                )
            )
        )
    return table


def variance_shares(results: Results) -> Table:
    """Return shares of variance and intraclass correlations by level."""
    table = Table(
        "variance_shares",
        "Where scores vary",
        [
            heading("Level", numeric=False),
            *map(heading, ("Groups", "Variance", "Share", "Intraclass correlation")),
        ],
        notes=[
            "The intraclass correlation of a level adds the shares of the levels above it: the "
            "correlation of two sessions that have this group in common. In brackets intervals by "
            "parametric bootstrap at the usual level of confidence.",
        ],
        empty=NOT_DESCRIBED,
    )
    notes = _rows(results, "variance_notes")
    labels = {row["label"].raw: row["label"] for row in [*_rows(results, "scores"), *notes]}
    shares = _rows(results, "variance_shares")
    for label, field in labels.items():
        own = [row for row in shares if row["label"].raw == label]
        said = [row for row in notes if row["label"].raw == label]
        if not own and not said:
            continue
        table.rows.append(group_row(Part(field)))
        table.rows += [
            Row(
                (
                    words("session and error")
                    if row["level"].raw == "session"
                    else cell(row["level"]),
                    cell(row["groups"], "count"),
                    cell(row["variance"], "decimals:2"),
                    with_interval(row, "share", "share_low", "share_high"),
                    with_interval(row, "icc", "icc_low", "icc_high"),
                )
            )
            for row in own
        ]
        table.rows += [line for row in said for line in _said(row["message"])]
    return table


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
    steps = _rows(results, "invariance_steps")
    released = _rows(results, "invariance_releases")
    for row in _rows(results, "invariance"):
        key = (row["measure"].raw, row["over"].raw)
        table.rows.append(
            group_row(
                Part(row["label"]),
                Part(row["over"], before=", over "),
                Part(row["factors"], before=" (", after=")"),
            )
        )
        table.rows += _groups_in_words(row)
        table.rows += _said(row["message"])
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


KEYS = ("measure", "score", "label")
instruments_records = _records(
    "measures",
    ("measure", "label", "instrument", "name", "abbreviation", "rater", "construct", "items",
     "reversed_items", "status", "unverified", "parts_not_read_in_a_source", "unanswered",
     "not_applicable"),
)  # fmt: skip
evidence_records = _records("evidence", ("measure", "part", "confidence", "source"))
scores_records = _records(
    "scores", (*KEYS, "rule", "items", "lowest", "highest", "unanswered_most")
)
prorating_records = _records(
    "prorating",
    (*KEYS, "session", "sessions", "forms", "complete", "prorated", "refused", "no_form"),
)
items_records = _records(
    "items", (*KEYS, "item", "answered", "unanswered_percent", "mean", "item_rest")
)
reliability_records = _records(
    "reliability",
    (*KEYS, "site", "session", "clients", "forms", "items", "alpha", "alpha_low", "alpha_high",
     "alpha_standardised", "omega", "omega_low", "omega_high", "message"),
)  # fmt: skip
decision_records = _records("decision", (*KEYS, "sessions", "reliability", "low", "high"))
variance_shares_records = _records(
    "variance_shares",
    (*KEYS, "level", "groups", "variance", "share", "share_low", "share_high", "icc", "icc_low",
     "icc_high"),
)  # fmt: skip
invariance_records = _records(
    "invariance_steps",
    ("measure", "label", "over", "step", "partial", "chi2", "df", "p", "chi2_scaled", "scaling",
     "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr", "change_chi2", "change_df",
     "change_p", "change_chi2_scaled", "change_p_scaled", "change_cfi", "change_rmsea",
     "change_srmr", "holds", "converged", "improper"),
)  # fmt: skip


def generalizability_records(results: Results) -> Records:
    """Return coefficients, variance components and multilevel omegas, one row each."""
    columns = (*KEYS, "kind", "design", "name", "sessions", "value", "low", "high")
    records = []
    for row in (field.raw for field in _rows(results, "coefficients")):
        records.append({key: row.get(key) for key in columns} | {"kind": "coefficient"})
    for row in (field.raw for field in _rows(results, "components")):
        found = {"kind": "component", "name": row["component"], "value": row["variance"]}
        records.append({key: row.get(key) for key in columns} | found)
    for row in (field.raw for field in _rows(results, "multilevel_omega")):
        found = {"kind": "multilevel omega", "name": row["kind"], "value": row["estimate"]}
        records.append({key: row.get(key) for key in columns} | found)
    return Records(columns, records)
