"""Models laid below one another, a line for each effect, variance and count.

Of a model that did not converge or was refused no number is shown, only what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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
    Table,
    Words,
    cell,
    heading,
    interval,
    symbol,
    words,
)
from alliance.tables.models import head

USABLE = ("converged", "singular")
GROUPS = {"site": "sites", "therapist": "therapists", "client": "clients", "session": "sessions"}
LEVELS = {"site": "Site", "therapist": "Therapist", "client": "Client", "session": "Session"}
ADJUSTED_NOTE: Words = (
    "In brackets: ", Italic("p"), " adjusted for the number of tests, of primary effects by "
    "Holm’s method among themselves, of exploratory ones by the false discovery rate of Benjamini "
    "and Hochberg. What is adjusted for is not tested as a hypothesis.",
)  # fmt: skip
CRITERIA = {
    "log_likelihood": "log-likelihood",
    "n_parameters": "parameters",
    "aic": "AIC",
    "bic_rows": "BIC by sessions",
    "bic_clients": "BIC by clients",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a model.

    Attributes
    ----------
    label
        What heads the line.
    value
        The value, with its interval where it has one.
    effect
        The estimate that the value is, for standard error, degrees of freedom and test.
    """

    label: Cell
    value: Cell
    effect: Field | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A group of lines: its heading, and a function from a fit to its lines.

    `in_one_row` they follow one another over the whole width.
    """

    heading: str
    lines: Callable[[Field], list[Line]]
    in_one_row: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """A column beside the values: a field of the estimate, left out where no model has it."""

    key: str
    heading: Column
    note: Words
    format: str = ""

    def is_known(self, entry: Field) -> bool:
        """Say whether an estimate has the field."""
        return entry[self.key].raw is not None

    def cell(self, entry: Field | None) -> Cell:
        """Return the field of an estimate as printed; a standard error as fine as the estimate."""
        if entry is None:
            return words("")
        if not self.is_known(entry):
            return words("–")
        fine = decimals_for(*(entry[part].raw for part in ("se", "estimate", "ci_low", "ci_high")))
        return cell(entry[self.key], self.format or fine)


COLUMNS = (
    Beside("se", symbol("SE"), (Italic("SE"), ": standard error of the coefficient.")),
    Beside("df", symbol("df"), (Italic("df"), ": degrees of freedom of the ", Italic("t"), " test; "
                                "a dash where the test is by the normal distribution."), "df"),
    Beside("standardised", Column(Cell(("β",))), (
        "β: standard deviations of the outcome for one standard deviation of the predictor at its "
        "level, of the effects of interest.",), "decimals:2"),
)  # fmt: skip


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
    """Fill a table with models, one below the other.

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
    lines = [line for fit in fits if usable(fit) for s in sections for line in s.lines(fit)]
    effects = [line.effect for line in lines if line.effect is not None]
    columns = [column for column in COLUMNS if any(column.is_known(e) for e in effects)]
    table.columns = [
        heading("Effect", numeric=False),
        Column(Cell((*statistic, " [", *INTERVAL, "]"))),
        *(column.heading for column in columns),
        symbol("p"),
    ]
    table.wide = True
    table.rows = [row for fit in fits for row in _rows(fit, sections, columns, adjusted)]
    table.notes += [column.note for column in columns]
    table.notes.append(ADJUSTED_NOTE)
    table.specific += [note for fit in fits for note in _said(fit)]
    return table


def _rows(
    fit: Field, sections: Sequence[Section], columns: Sequence[Beside], adjusted: Adjusted
) -> list[Row]:
    """Return a model's rows: its title, then section by section."""
    rows = [head(fit)]
    for section in sections if usable(fit) else []:
        lines = section.lines(fit)
        if section.in_one_row:
            rows += _one_row(section.heading, lines)
            continue
        if lines:
            rows.append(Row((words(section.heading),), group=True, faint=True))
        for line in lines:
            beside = [column.cell(line.effect) for column in columns]
            p = words("") if line.effect is None else _with_adjusted(line.effect, adjusted)
            rows.append(Row((line.label, line.value, *beside, p)))
    return rows


def _one_row(heading: str, lines: Sequence[Line]) -> list[Row]:
    """Return e.g. `Fit: log-likelihood = -512.3, AIC = 1,042.6.`; nothing without lines."""
    if not lines:
        return []
    pieces: list[Piece] = [heading, ": "]
    for k, line in enumerate(lines):
        pieces += [*([", "] if k else []), *line.label.pieces, " = ", *line.value.pieces]
    return [Row((Cell((*pieces, ".")),), group=True, faint=True)]


def _with_adjusted(entry: Field, adjusted: Adjusted) -> Cell:
    """Return the p of an estimate, followed by the adjusted one in brackets."""
    plain, test = p_cell(entry), adjusted.get(entry.address)
    if test is None:
        return plain
    primary = ", primary" if test["group"].raw == PRIMARY else ""
    beside = Part(test["p_adjusted"], "p-cell", before=" (", after=f"{primary})")
    return Cell((*plain.pieces, beside))


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
    format = "ratio" if ratio else decimals_for(entry["se"].raw, value.raw, low.raw, high.raw)
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
        found.append(Line(Cell(name), value))
    phi = fit["residual"]["phi"]
    if phi.raw is not None:
        label = words("Autocorrelation of residuals")
        found.append(Line(label, cell(phi, "correlation")))
    return found


def criterion_lines(fit: Field) -> list[Line]:
    """Return log-likelihood and information criteria."""
    statistics = fit["fit_statistics"]
    return [
        Line(words(label), cell(statistics[key], _criterion(key)))
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
        found.append(Line(label, cell(entry["n"], "count")))
    for key in ("events", "dropouts", "completions", "competing_ends"):
        if key in fit["fit_statistics"] and fit["fit_statistics"][key].raw is not None:
            label = words(key.replace("_", " "))
            found.append(Line(label, cell(fit["fit_statistics"][key], "count")))
    return found
