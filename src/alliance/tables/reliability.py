"""Tables of reliability: alpha and omega, generalizability, sessions needed, variance shares."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.described_measures import (
    KEYS,
    NOT_DESCRIBED,
    groups_of,
    number,
    records_of,
    rows_of,
    said,
    with_interval,
)
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
    words,
)


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
    for rows in groups_of(rows_of(results, "reliability"), "label"):
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


def _forms_of(row: Field) -> Cell:
    if row["site"].raw != "all":
        return cell(row["site"])
    session = row["session"]
    if session.raw == "all":
        return words("all forms")
    if session.raw == "last":
        return words("last session")
    return cell(session, before="session ")


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
    omegas = [row for row in rows_of(results, "multilevel_omega") if row["printed"].raw]
    coefficients = rows_of(results, "coefficients")
    for row in rows_of(results, "generalizability"):
        label = row["label"].raw
        table.rows.append(
            group_row(
                Part(row["label"]),
                Part(row["clients"], "count", before=": ", after=" clients"),
                Part(row["forms"], "count", before=", ", after=" complete forms"),
                Part(row["incomplete_forms"], "count", before=", ", after=" incomplete left out"),
            )
        )
        table.rows += said(row["message"])
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
        table.rows += [line for note in notes.values() for line in said(note)]
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
    groups = list(groups_of(rows_of(results, "decision"), "label"))
    if not groups:
        return table
    table.columns += [Column(cell(rows[0]["label"])) for rows in groups]
    for k, row in enumerate(groups[0]):
        values = (with_interval(rows[k], "reliability", "low", "high") for rows in groups)
        table.rows.append(Row((cell(row["sessions"], "count"), *values)))
    needed = list(groups_of(rows_of(results, "sessions_needed"), "label"))
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
    notes = rows_of(results, "variance_notes")
    labels = {row["label"].raw: row["label"] for row in [*rows_of(results, "scores"), *notes]}
    shares = rows_of(results, "variance_shares")
    for label, field in labels.items():
        own = [row for row in shares if row["label"].raw == label]
        about = [row for row in notes if row["label"].raw == label]
        if not own and not about:
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
        table.rows += [line for row in about for line in said(row["message"])]
    return table


reliability_records = records_of(
    "reliability",
    (*KEYS, "site", "session", "clients", "forms", "items", "alpha", "alpha_low", "alpha_high",
     "alpha_standardised", "omega", "omega_low", "omega_high", "message"),
)  # fmt: skip
decision_records = records_of("decision", (*KEYS, "sessions", "reliability", "low", "high"))
variance_shares_records = records_of(
    "variance_shares",
    (*KEYS, "level", "groups", "variance", "share", "share_low", "share_high", "icc", "icc_low",
     "icc_high"),
)  # fmt: skip


def generalizability_records(results: Results) -> Records:
    """Return coefficients, variance components and multilevel omegas, one row each."""
    columns = (*KEYS, "kind", "design", "name", "sessions", "value", "low", "high")
    records = []
    for row in (field.raw for field in rows_of(results, "coefficients")):
        records.append({key: row.get(key) for key in columns} | {"kind": "coefficient"})
    for row in (field.raw for field in rows_of(results, "components")):
        found = {"kind": "component", "name": row["component"], "value": row["variance"]}
        records.append({key: row.get(key) for key in columns} | found)
    for row in (field.raw for field in rows_of(results, "multilevel_omega")):
        found = {"kind": "multilevel omega", "name": row["kind"], "value": row["estimate"]}
        records.append({key: row.get(key) for key in columns} | found)
    return Records(columns, records)
