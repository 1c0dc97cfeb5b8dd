"""Models fitted anew at the equation that is printed, to the rows that are listed as used.

Linear models by their dense restricted likelihood, one block a therapist (or a client), maximised
over all variances; discrete-time hazards without variance between therapists by statsmodels' GLM.
"""

import re

import numpy as np
import statsmodels.api as sm
from scipy import linalg, optimize, stats

EQUATION = re.compile(
    r"(?P<outcome>\w+) ~ (?P<terms>.*?)(?P<random>( \+ \([^)]*\| \w+\))+); "
    r"(independent residuals|CAR1 residuals over (?P<memory>\w+)); (?P<method>REML)$"
)


def design(rows, term):
    column, _, category = term.rstrip("]").partition("[")
    if term == "1":
        return np.ones(len(rows))
    if category:
        return (rows[column] == category).to_numpy(float)
    if term.startswith("center("):
        return rows[term[7:-1]].to_numpy(float) - rows[term[7:-1]].mean()
    if term.startswith("log("):
        return np.log(rows[term[4:-1]].to_numpy(float))
    return rows[term].to_numpy(float)


class Linear:
    """y = X b + Z u + e, u by therapist and client, e independent or exp(-|dt| ln(1/phi))."""

    def __init__(self, rows, equation):
        parts = EQUATION.match(equation)
        self.terms = parts["terms"].split(" + ")
        random = {
            level: terms.split(" + ")
            for terms, level in re.findall(r"\(([^|]*) \| (\w+)\)", parts["random"])
        }
        self.slopes = [term for term in random["client"] if term != "1"]
        self.by_therapist, self.memory = "therapist" in random, parts["memory"]
        assert random.get("therapist", ["1"]) == ["1"] and len(self.slopes) <= 1
        outer = "therapist" if self.by_therapist else "client"
        self.blocks = []
        for _, own in rows.groupby(outer, sort=True):
            client = own["client"].to_numpy()
            X = np.column_stack([design(own, term) for term in self.terms])
            Z = [design(own, term) for term in self.slopes]
            lag = None
            if self.memory:
                time = own[self.memory].to_numpy(float)
                lag = np.abs(time[:, None] - time)
            y = own[parts["outcome"]].to_numpy(float)
            self.blocks.append((y, X, client[:, None] == client, Z, lag))
        self.n = len(rows)
        self._maximise()

    def _covariances(self, theta):
        """Yield each block's covariance; theta: ratios to the residual variance."""
        therapist, root = np.exp(2 * theta[0]) if self.by_therapist else 0.0, self._root(theta)
        phi = 1 / (1 + np.exp(-theta[-1])) if self.memory else 0.0
        for _, X, same, Z, lag in self.blocks:
            effects = np.column_stack([np.ones(len(X)), *Z])
            residual = np.eye(len(X)) if lag is None else phi**lag
            yield therapist + same * (effects @ root @ root.T @ effects.T + residual)

    def _root(self, theta):
        at = int(self.by_therapist)
        if not self.slopes:
            return np.array([[np.exp(theta[at])]])
        return np.array([[np.exp(theta[at]), 0], [theta[at + 1], np.exp(theta[at + 2])]])

    def _gls(self, theta):
        XVX, XVy, yVy, log_det = 0.0, 0.0, 0.0, 0.0
        for (y, X, *_), V in zip(self.blocks, self._covariances(theta), strict=True):
            factor = linalg.cho_factor(V, lower=True)
            solved = linalg.cho_solve(factor, np.column_stack([X, y]))
            XVX, XVy = XVX + X.T @ solved[:, :-1], XVy + X.T @ solved[:, -1]
            yVy += y @ solved[:, -1]
            log_det += 2 * np.log(np.diag(factor[0])).sum()
        b = np.linalg.solve(XVX, XVy)
        df = self.n - len(b)
        variance = (yVy - XVy @ b) / df
        return b, XVX, variance, log_det + np.linalg.slogdet(XVX)[1] + df * np.log(variance)

    def _maximise(self):
        size = self.by_therapist + (3 if self.slopes else 1) + bool(self.memory)
        start = np.full(size, -0.5)
        if self.slopes:
            start[[self.by_therapist + 1, self.by_therapist + 2]] = 0.0, -2.0

        def deviance(theta):
            return self._gls(theta)[-1] / self.n  # of one row: the first step stays near the start

        best = optimize.minimize(deviance, start, method="BFGS", options={"gtol": 1e-6})
        best = optimize.minimize(
            deviance, best.x, jac="3-point", method="BFGS", options={"gtol": 2e-8}
        )
        self.theta = best.x
        self.b, XVX, self.variance, _ = self._gls(best.x)
        self.se = np.sqrt(np.diag(np.linalg.inv(XVX) * self.variance))

    def components(self):
        """Return variances and covariances by level and the pair of their terms."""
        names = ["1", *self.slopes]
        root = self._root(self.theta)
        client = root @ root.T * self.variance
        found = {("session", "residual", "residual"): self.variance}
        found |= {
            ("client", a, b): client[i, j] for i, a in enumerate(names) for j, b in enumerate(names)
        }
        if self.by_therapist:
            found["therapist", "1", "1"] = np.exp(2 * self.theta[0]) * self.variance
        return found


class Hazard:
    """Discrete-time logit hazard of leaving."""

    def __init__(self, rows, equation):
        right = equation.partition(" ~ ")[2].partition(";")[0]
        self.terms = [term for term in right.split(" + ") if not term.startswith("(")]
        X = np.column_stack([design(rows, term) for term in self.terms])
        found = sm.GLM(rows["dropout_event"].to_numpy(float), X, family=sm.families.Binomial()).fit(
            tol=1e-12
        )
        self.b, self.se = found.params, found.bse


def model_of(n):
    """Return the model of a number's fit, fitted once."""
    models, name = n.data.models, n.fit["model"]
    if name not in models:
        panel = n.data.table("panel")
        used = n.rows.loc[n.rows["role"] == "used", ["site", "client", "session"]]
        rows = used.merge(panel, on=["site", "client", "session"])
        kind = Hazard if n.fit["family"] == "hazard" else Linear
        models[name] = kind(rows, n.fit["equation"])
    return models[name]


def estimate(n):
    model, e = model_of(n), n.entry
    names = [re.sub(r"center\((\w+)\)", r"\1", term) for term in model.terms]
    at = names.index(e["term"])
    b, se = model.b[at], model.se[at]
    df = e["df"] or np.inf  # Satterthwaite's are taken as they are
    half = stats.t.ppf(0.975, df) * se
    return {
        "estimate": b,
        "se": se,
        "statistic": b / se,
        "p": 2 * stats.t.sf(abs(b / se), df),
        "ci_low": b - half,
        "ci_high": b + half,
        "ratio": np.exp(b),
        "ratio_low": np.exp(b - half),
        "ratio_high": np.exp(b + half),
    }[n.key]


def component(n):
    found, e = model_of(n).components(), n.entry
    value = found[e["level"], e["name_1"], e["name_2"]]
    if n.key == "variance_or_covariance":
        return value
    if n.key == "share":
        whole = sum(v for (_, a, b), v in found.items() if a == b and a in ("1", "residual"))
        return value / whole
    if e["name_1"] == e["name_2"]:
        return np.sqrt(value)
    own = [found[e["level"], name, name] for name in (e["name_1"], e["name_2"])]
    return value / np.sqrt(own[0] * own[1])
