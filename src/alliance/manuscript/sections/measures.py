"""What was measured, by which key, and how well it measures here; what is missing."""

from __future__ import annotations

from alliance.families.facts import Assumption, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import (
    LEVELS,
    counted,
    heading,
    interval,
    joined,
    listed,
    paragraphs,
    say,
    sentence,
    text,
)

RATERS = {"client": "clients", "therapist": "therapists", "observer": "observers"}
DIRECTIONS = {
    "higher-is-better": "Higher scores are better. ",
    "higher-is-worse": "Higher scores are worse. ",
}


def measures(material: Material) -> list[Block]:
    """Return the section on measures; without measures there is none."""
    each = list(material.measures())
    if not each:
        return []
    found: list[Block] = [heading("Measures")]
    for measure, key in each:
        found += paragraphs(_measure(material, measure, key))
    return [
        *found,
        *paragraphs(_reliability(material), _invariance(material), _variance(material)),
    ]


def _measure(material: Material, measure: Field, key: Field | None) -> Words:
    who = RATERS.get(measure["rater"].raw, "somebody")
    words = say("For ", text(measure["label"]), f", {who} filled in the ")
    if key is None:
        return say(words, text(measure["abbreviation"]), ". ", _direction(measure))
    form = say(text(key["name"]), " (", text(key["abbreviation"]))
    if is_there(key, "reference"):
        form = say(form, "; ", material.references.cite(str(key["reference"]["id"].raw))[1:])
    else:
        form = say(form, ")")
    if key.raw.get("totals_only"):
        return say(words, form, ", of which the total score alone is on record",
                   _range_of_total(material, measure), ". ", _direction(measure),
                   _published(material, measure), _evidence(measure, key))  # fmt: skip
    items = say(
        ", a form of ", counted(key["items"], "item", "items"), " (", _language(measure), "). "
    )
    return say(words, form, items, _scores(material, measure), _direction(measure), _rules(key),
               _evidence(measure, key))  # fmt: skip


def _language(measure: Field) -> Words:
    """Return the language of the form, or that the authors must add it."""
    if is_there(measure, "language") and measure["language"].raw:
        return text(measure["language"])
    return ("[language and version of the form]",)


def _direction(measure: Field) -> str:
    return DIRECTIONS.get(measure["direction"].raw, "")


def _scores(material: Material, measure: Field) -> Words:
    measurement = material.about("measurement")
    rows = measurement["scores"].where(measure=measure["name"].raw) if measurement else []
    total = [row for row in rows if row["score"].raw == "total"]
    others = [row for row in rows if row["score"].raw != "total"]
    words: Words = ()
    if total:
        row = total[0]
        words = say("The total score (", text(row["rule"]), _range(row), ") rests on ", _items(row),
                    ". ")  # fmt: skip
    if others:
        each = [
            say(text(row["score"], "words"), " (", text(row["rule"]), " of ", _items(row),
                _range(row), ")")
            for row in others
        ]  # fmt: skip
        words = say(words, "Further scores are ", listed(each), ". ")
    return words


def _range_of_total(material: Material, measure: Field) -> Words:
    measurement = material.about("measurement")
    rows = measurement["scores"].where(measure=measure["name"].raw) if measurement else []
    return _range(rows[0]) if rows else ()


def _published(material: Material, measure: Field) -> Words:
    """Return what the literature says of the reliability of totals, whose items are not here."""
    measurement = material.about("measurement")
    name = measure["name"].raw
    published = measurement["published_reliability"] if measurement else None
    rows = published.where(measure=name, score="total") if published else []
    found = [
        say(words, text(row[key], "correlation"), " (", text(row["sample"]), ")")
        for row in rows
        for key, words in (("alpha", "an alpha of "), ("retest", "a retest correlation of "))
        if is_there(row, key)
    ]
    cannot = "Without items its reliability cannot be estimated in these data; "
    if not found:
        return (cannot + "its scoring key names no published value, so that it is not known. ",)
    return say(cannot, "published are ", listed(found), ". ")


def _items(row: Field) -> Words:
    of_scores = str(row["items"].raw).startswith("the ")
    return text(row["items"]) if of_scores else say("items ", text(row["items"]))


def _range(row: Field) -> Words:
    if not is_there(row, "lowest", "highest"):
        return ()
    return say("; possible range ", text(row["lowest"], "general"), " to ",
               text(row["highest"], "general"))  # fmt: skip


def _rules(key: Field) -> Words:
    reverse = (
        "No item is reversed. "
        if key["reversed_items"].raw == "none"
        else say("Reversed items: ", text(key["reversed_items"]), ". ")
    )
    rule = say("Unanswered items: ", sentence(key["unanswered"]), " ")
    if key["not_applicable"].raw:
        rule = say(rule, "On this form, ", sentence(key["not_applicable"]), " ")
    return say(reverse, rule)


def _evidence(measure: Field, key: Field) -> Words:
    if key["unverified"].raw:
        accepted = measure["accept_unverified_key"].raw
        return (
            "The scoring key was taken from the literature and not compared with the form"
            + ("; the configuration accepts this." if accepted else "."),
        )
    unread = key["parts_not_read_in_a_source"]
    if not unread.raw:
        return ("All documented parts of the scoring key were read in a source.",)
    return say("The scoring key has ", counted(unread, "part", "parts"),
               " that could not be read in a source.")  # fmt: skip


def _reliability(material: Material) -> Words:
    """Return how reliable the main scores are here, and by which coefficients that is said."""
    measurement = material.about("measurement")
    if measurement is None:
        return ()
    found: list[Words] = []
    used: set[str] = set()
    for row in measurement["reliability"].where(site="all", session="all"):
        if row["score"].raw == "total" and is_there(row, "alpha"):
            found.append(_of_score(measurement, row, used))
    if not found:
        return ()
    cite = material.references.cite
    works = {"alpha": "cronbach1951", "omega": "mcdonald1999"}
    consistency = cite(*(work for name, work in works.items() if name in used))
    words = say("Internal consistency of single forms was estimated in these data ", consistency,
                ", with intervals from a bootstrap over clients")  # fmt: skip
    if "multilevel" in used:
        words = say(words, "; the reliability of a client's mean and of a session's deviation from "
                    "it by the omega of two-level factor models ",
                    cite("geldhof2014", "lai2021"))  # fmt: skip
    if "change" in used:
        words = say(words, "; that of change from session to session by generalizability theory ",
                    cite("cranford2006"))  # fmt: skip
    return say(words, ". ", joined(found, " "))


def _of_score(measurement: Field, row: Field, used: set[str]) -> Words:
    used.add("alpha")
    words = say(
        text(row["label"]),
        ": ",
        counted(row["forms"], "form", "forms"),
        " of ",
        counted(row["clients"], "client", "clients"),
        "; alpha = ",
        text(row["alpha"], "correlation"),
        interval(row["alpha_low"], row["alpha_high"], "correlation"),
    )
    if is_there(row, "omega"):
        used.add("omega")
        words = say(words, "; omega = ", text(row["omega"], "correlation"),
                    interval(row["omega_low"], row["omega_high"], "correlation"))  # fmt: skip
    own = {"measure": row["measure"].raw, "score": row["score"].raw}
    for omega in measurement["multilevel_omega"].where(**own, printed=True):
        if is_there(omega, "estimate") and omega["kind"].raw != "single_form":
            used.add("multilevel")
            words = say(words, "; ", text(omega["meaning"]), ": omega = ",
                        text(omega["estimate"], "correlation"))  # fmt: skip
    for change in measurement["coefficients"].where(**own, name="R_CN", design="nested"):
        if is_there(change, "value"):
            used.add("change")
            words = say(words, "; ", text(change["meaning"]), ": ",
                        text(change["value"], "correlation"))  # fmt: skip
    return say(words, ".")


def _invariance(material: Material) -> Words:
    measurement = material.about("measurement")
    if measurement is None:
        return ()
    rows = [row for row in measurement["invariance"] if row["level"].raw and not row["message"].raw]
    if not rows:
        return ()
    cite = material.references.cite
    over = " and over ".join(dict.fromkeys(str(row["over"].raw) for row in rows))
    words = say(
        f"Measurement invariance over {over} was tested by factor models of several groups with "
        "the same form (configural), then the same loadings (metric), intercepts (scalar) and "
        "residual variances (strict)"
    )
    if "invariance_bounds" in measurement:
        bounds = measurement["invariance_bounds"]
        words = say(words, "; a step was accepted if CFI fell by at most ",
                    text(bounds["cfi_may_fall"], "correlation:3"), " and RMSEA rose by at most ",
                    text(bounds["rmsea_may_rise"], "correlation:3"), " ",
                    cite("chen2007", "cheung2002"))  # fmt: skip
    steps = measurement["invariance_steps"]
    if any(is_there(step, "change_chi2_scaled") for step in steps):
        words = say(words, "; differences of chi-squared were scaled ", cite("satorra2001"))
    reached = []
    for place in dict.fromkeys(str(row["over"].raw) for row in rows):
        own = [row for row in rows if row["over"].raw == place]
        each = [say(text(row["label"]), " (", text(row["level"]), ")") for row in own]
        reached.append(say(f"over {place}, ", listed(each)))
    return say(words, ". The strictest step accepted was, ", joined(reached), ".")


def _variance(material: Material) -> Words:
    measurement = material.about("measurement")
    rows = [
        row
        for row in (measurement["variance_shares"] if measurement else [])
        if is_there(row, "icc") and row["level"].raw in LEVELS
    ]
    if not rows:
        return ()
    levels = dict.fromkeys(str(row["level"].raw) for row in rows)
    words = (
        "Intraclass correlations were estimated by models without predictors, with random "
        f"intercepts of {_and([LEVELS[level] for level in levels])}. That of a level is the "
        "correlation of two sessions that share a group of this level, and so also the levels "
        "above it; intervals come from a parametric bootstrap. "
    )
    each = []
    for label in dict.fromkeys(row["label"].raw for row in rows):
        own = [row for row in rows if row["label"].raw == label]
        values = [
            say(f"{row['level'].raw} ", text(row["icc"], "correlation"),
                interval(row["icc_low"], row["icc_high"], "correlation"))
            for row in own
        ]  # fmt: skip
        each.append(say(text(own[0]["label"]), ": ", joined(values), "."))
    return say(words, joined(each, " "))


def _and(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def missing(material: Material) -> list[Block]:
    """Return the section on missing forms, unanswered items and what models assume of them."""
    labels = {m["name"].raw: m["label"] for m, _ in material.measures()}
    totals = {m["name"].raw for m, key in material.measures() if _totals_only(key)}
    rows = [
        row
        for row in material.results.about["missing"].where(site="all")
        if row["measure"].raw in labels and row["sessions"].raw
    ]
    if not rows:
        return []
    each = [
        _of_forms(row, labels[row["measure"].raw], row["measure"].raw in totals) for row in rows
    ]
    rule = "No other value was imputed. " if any(row["forms"].raw for row in rows) else ""
    return [
        heading("Missing data"),
        *paragraphs(say(joined(each, " "), " ", rule, _at_random(material))),
    ]


def _totals_only(key: Field | None) -> bool:
    return key is not None and bool(key.raw.get("totals_only"))


def _of_forms(row: Field, label: Field, is_total: bool) -> Words:
    words = say("For ", text(label), ", ", counted(row["forms"], "form is", "forms are"),
                " on record from ", counted(row["sessions"], "session", "sessions"))  # fmt: skip
    if is_there(row, "forms_percent"):
        words = say(words, " (", text(row["forms_percent"], "percent:1"), ")")
    if not row["forms"].raw or is_total:  # of a total nobody knows which items it rests on
        return say(words, ".")
    told = []
    if is_there(row, "items_unanswered_percent"):
        told.append(say(text(row["items_unanswered_percent"], "percent:1"),
                        " of the items of these forms were unanswered"))  # fmt: skip
    if row["prorated"].raw is not None:
        told.append(say(counted(row["prorated"], "score was", "scores were"),
                        " prorated from the answered items"))  # fmt: skip
    if row["refused"].raw:
        told.append(say(counted(row["refused"], "form was", "forms were"),
                        " not scored for lack of answers"))  # fmt: skip
    return say(words, "; ", joined(told), ".")


def _at_random(material: Material) -> Words:
    if not any(
        has(fit["assumptions"].raw, Assumption.MISSING_AT_RANDOM) for fit in material.usable()
    ):
        return ()
    return say("The models use every session with the scores that they need, and assume that "
               "missing scores are missing at random given the observed ones ",
               material.references.cite("rubin1976"), ".")  # fmt: skip
