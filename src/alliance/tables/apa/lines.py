"""Models laid beside one another: one line for what they have in common, columns for each.

Few models stand side by side, two columns each; more stand below one another. Of a model that did
not converge or was refused no number is shown, only what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from alliance.findings.adjusted import PRIMARY, Adjusted
from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.findings.marks import short_mark_of
from alliance.tables.layout import (
    INTERVAL,
    Cell,
    Column,
    Italic,
    Part,
    Piece,
    Row,
    Spanner,
    Table,
    Words,
    cell,
    heading,
    interval,
    symbol,
    words,
)
from alliance.tables.models import head

MOST_ACROSS = 4
USABLE = ("converged", "singular")
GROUPS = {"site": "Sites", "therapist": "Therapists", "client": "Clients", "session": "Sessions"}
LEVELS = {"site": "Site", "therapist": "Therapist", "client": "Client", "session": "Session"}
ADJUSTED_NOTE: Words = (
    "In brackets: ", Italic("p"), " adjusted for the number of tests, of primary effects by "
    "Holm’s method among themselves, of exploratory ones by the false discovery rate of Benjamini "
    "and Hochberg. What is adjusted for is not tested as a hypothesis.",
)  # fmt: skip
CRITERIA = {
    "log_likelihood": "Log-likelihood",
    "n_parameters": "Parameters",
    "aic": "AIC",
    "bic_rows": "BIC, by sessions",
    "bic_clients": "BIC, by clients",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One value of one model, and the line in which it stands.

    Attributes
    ----------
    key
        Values of several models with the same key stand in the same line.
    label
        What heads the line.
    value, p
        The cells of the model: `p` is empty where the value is not tested.
    """

    key: tuple[str, ...]
    label: Cell
    value: Cell
    p: Cell = field(default_factory=Cell)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines: its heading, and a function from a fit to its lines."""

    heading: str
    lines: Callable[[Field], list[Line]]


def usable(fit: Field) -> bool:
    """Say whether a fit's numbers may be shown as results."""
    return fit["status"].raw in USABLE


def lay_out(
    table: Table,
    fits: Sequence[Field],
    sections: Sequence[Section],
    statistic: Words,
    adjusted: Adjusted,
) -> Table:
    """Fill a table with models, side by side or below one another.

    Parameters
    ----------
    table
        Has name, title and notes; columns and rows are put into it.
    fits
        The models, in the order in which they are to appear.
    sections
        What is said of each model.
    statistic
        What the values of the first section are, e.g. *b*.
    adjusted
        The tests that count, by address.
    """
    if not fits:
        return table
    sections = [Section(s.heading, partial(_adjusted_lines, s, adjusted)) for s in sections]
    table.notes.append(ADJUSTED_NOTE)
    value = Column(Cell((*statistic, " [", *INTERVAL, "]")))
    if len(fits) <= MOST_ACROSS:
        _side_by_side(table, fits, sections, value)
    else:
        _below_one_another(table, fits, sections, value)
    table.specific += [note for fit in fits for note in _said(fit)]
    return table


def _adjusted_lines(section: Section, adjusted: Adjusted, fit: Field) -> list[Line]:
    """Return the lines of a section, p values followed by the adjusted ones in brackets."""
    return [replace(line, p=_with_adjusted(line.p, adjusted)) for line in section.lines(fit)]


def _with_adjusted(plain: Cell, adjusted: Adjusted) -> Cell:
    at = plain.parts[0].field.address if plain.parts and isinstance(plain.parts[0], Part) else ""
    test = adjusted.get(at.removesuffix("/p"))
    if test is None:
        return plain
    primary = ", primary" if test["group"].raw == PRIMARY else ""
    beside = Part(test["p_adjusted"], "p-cell", before=" (", after=f"{primary})")
    return Cell((*plain.parts, beside))


def _side_by_side(
    table: Table, fits: Sequence[Field], sections: Sequence[Section], value: Column
) -> None:
    table.columns = [heading("", numeric=False)]
    for k, fit in enumerate(fits):
        table.columns += [value, symbol("p")]
        table.spanners.append(Spanner(_named(fit), 2 * k + 1, 2 * k + 2))
    table.wide = len(fits) > 1
    for section in sections:
        found = [section.lines(fit) if usable(fit) else [] for fit in fits]
        labels = {line.key: line.label for lines in found for line in lines}
        if not labels:
            continue
        table.rows.append(Row((words(section.heading),), group=True))
        by_key = [{line.key: line for line in lines} for lines in found]
        for key, label in labels.items():
            cells = (c for lines in by_key for c in _cells(lines.get(key)))
            table.rows.append(Row((label, *cells)))
    if not table.rows:  # none of them can be shown: the notes say why
        table.rows.append(Row((words("No result"), *[words("–")] * (2 * len(fits)))))


def _cells(line: Line | None) -> tuple[Cell, Cell]:
    return (words(""), words("")) if line is None else (line.value, line.p)


def _below_one_another(
    table: Table, fits: Sequence[Field], sections: Sequence[Section], value: Column
) -> None:
    table.columns = [heading("Model", numeric=False), value, symbol("p")]
    for fit in fits:
        table.rows.append(head(fit))
        if not usable(fit):
            continue
        for section in sections:
            for line in section.lines(fit):
                table.rows.append(Row((line.label, line.value, line.p)))


def _named(fit: Field) -> Cell:
    """Return a model's title and, where it is not plainly converged, its mark."""
    mark = short_mark_of(fit.raw)
    pieces: tuple[Piece, ...] = (Part(fit["title"]),)
    return Cell((*pieces, f" ({mark})") if mark else pieces)


def _said(fit: Field) -> Iterable[Words]:
    """Yield what a reader must know of a model: why it has no numbers, what is singular."""
    if not usable(fit):
        mark = short_mark_of(fit.raw)
        told: tuple[Piece, ...] = (Part(fit["title"]), f": {mark}")
        yield (*told, ": ", Part(fit["message"])) if fit["message"].raw else (*told, ".")
    for component in fit["convergence"]["singular_components"]:
        yield Part(fit["title"]), ": singular, at its boundary: ", Part(component), "."


def with_interval(entry: Field, ratio: bool = False) -> Cell:
    """Return `estimate [low, high]`, or the same of the exponential."""
    names = ("ratio", "ratio_low", "ratio_high") if ratio else ("estimate", "ci_low", "ci_high")
    value, low, high = (entry[name] for name in names)
    if value.raw is None:
        return words("–")
    format = "ratio" if ratio else decimals_for(entry["se"].raw, value.raw)
    if low.raw is None or high.raw is None:
        return cell(value, format)
    return Cell((Part(value, format, after=" "), *interval(low, high, format)))


def p_cell(entry: Field) -> Cell:
    """Return the p of an estimate, or a dash."""
    return words("–") if entry["p"].raw is None else cell(entry["p"], "p-cell")


def variance_lines(fit: Field) -> list[Line]:
    """Return variances, and correlations of effects; a covariance is printed as a correlation."""
    found = []
    for entry in fit["variance_components"]:
        one, two = entry["name_1"], entry["name_2"]
        level = entry["level"]
        named: Piece = LEVELS[level.raw] if level.raw in LEVELS else Part(level)
        name: Words = (named, ": ", Part(one, "component"))
        if one.raw == two.raw:
            variance = entry["variance_or_covariance"]
            rounded = "decimals:2" if variance.raw >= 0.1 else decimals_for(None, variance.raw)
            value = cell(variance, rounded)
        elif entry["sd_or_correlation"].raw is None:
            continue
        else:
            name = (*name, " with ", Part(two, "component"), ", ", Italic("r"))
            value = cell(entry["sd_or_correlation"], "correlation")
        key = ("variance", level.raw, one.raw, two.raw)
        found.append(Line(key, Cell(name), value))
    phi = fit["residual"]["phi"]
    if phi.raw is not None:
        label = words("Autocorrelation of residuals")
        found.append(Line(("phi",), label, cell(phi, "correlation")))
    return found


def criterion_lines(fit: Field) -> list[Line]:
    """Return log-likelihood and information criteria."""
    statistics = fit["fit_statistics"]
    return [
        Line((key,), words(label), cell(statistics[key], _criterion(key)))
        for key, label in CRITERIA.items()
        if key in statistics and statistics[key].raw is not None
    ]


def _criterion(key: str) -> str:
    return "count" if key == "n_parameters" else "decimals:1"


def count_lines(fit: Field) -> list[Line]:
    """Return how many groups and sessions a model used, and events where it has some."""
    found = []
    for entry in fit["data"]["groups"]:
        level = entry["level"].raw
        label = words(GROUPS[level]) if level in GROUPS else cell(entry["level"])
        found.append(Line(("n", level), label, cell(entry["n"], "count")))
    for key in ("events", "dropouts", "completions", "competing_ends"):
        if key in fit["fit_statistics"] and fit["fit_statistics"][key].raw is not None:
            label = words(key.replace("_", " ").capitalize())
            found.append(Line((key,), label, cell(fit["fit_statistics"][key], "count")))
    return found
