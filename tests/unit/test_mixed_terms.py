"""The closed grammar of terms, and what transforms remember."""

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.mixed.design import build_columns
from alliance.mixed.terms import Atom, parse_terms
from alliance.mixed.vocabulary import Vocabulary

COLUMNS = ["t", "x", "site", "odd name!", "a:b"]


def columns_of(texts, data):
    vocabulary = Vocabulary()
    terms = parse_terms(texts, list(data.columns))
    for atom in dict.fromkeys(atom for term in terms for atom in term):
        vocabulary.learn(atom, data)
    return vocabulary, vocabulary.products(terms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [()]),
        ("t", [(Atom("t"),)]),
        ("t:site", [(Atom("t"), Atom("site"))]),
        ("t*site", [(Atom("t"),), (Atom("site"),), (Atom("t"), Atom("site"))]),
        ("`odd name!`", [(Atom("odd name!"),)]),
        ("odd name!", [(Atom("odd name!"),)]),  # equals a column's name exactly
        ("a:b", [(Atom("a:b"),)]),
        ("log1p( t )", [(Atom("t", "log1p"),)]),
        ("square(t)", [(Atom("t"), Atom("t"))]),
        ("spline(t, 3):site", [(Atom("t", "spline", 3), Atom("site"))]),
    ],
)
def test_terms_are_read(text, expected):
    assert parse_terms([text], COLUMNS) == expected


@pytest.mark.parametrize(
    "text",
    ["", "t:", "*t", "t+x", "t^2", "exp(t)", "log(t", "spline(t)", "spline(t, 99)", "0", "-1",
     "__import__('os').system('x')", "t if x else site", "log(log(t))"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(FitError):
        parse_terms([text], COLUMNS)


def test_every_problem_is_listed_with_the_nearest_name():
    with pytest.raises(FitError, match=r"(?s)'sit'.*'site'.*sqroot.*sqrt"):
        parse_terms(["sit", "sqroot(t)"], COLUMNS)


def test_contrasts_follow_the_margins_as_in_r():
    data = pd.DataFrame({"t": [0.0, 1, 2, 3], "site": ["south", "north", "east", "north"]})
    _, columns = columns_of(["1", "t", "site", "t:site"], data)
    assert list(columns.values()) == [
        "1", "t", "site[north]", "site[south]", "t:site[north]", "t:site[south]",
    ]  # fmt: skip
    _, columns = columns_of(["1", "t:site"], data)  # a slope per site
    assert list(columns.values()) == ["1", "t:site[east]", "t:site[north]", "t:site[south]"]
    _, columns = columns_of(["site"], data)  # no intercept: a mean per site
    assert len(columns) == 3


def test_ordered_categories_keep_their_order():
    site = pd.Categorical(["low", "high", "low"], ["low", "mid", "high"], ordered=True)
    _, columns = columns_of(["1", "site"], pd.DataFrame({"site": site}))
    assert list(columns.values()) == ["1", "site[high]"]


def test_transforms_remember_the_data_of_the_fit():
    data = pd.DataFrame({"t": [1.0, 2.0, 6.0]})  # mean 3
    vocabulary, columns = columns_of(["center(t)"], data)
    factor = next(iter(columns))[0]
    np.testing.assert_array_equal(vocabulary.evaluate(factor, pd.DataFrame({"t": [3.0]})), [0.0])


def test_spline_is_linear_beyond_its_knots():
    data = pd.DataFrame({"t": np.linspace(0, 10, 50)})
    vocabulary, columns = columns_of(["spline(t, 3)"], data)
    outside = pd.DataFrame({"t": [11.0, 12.0, 13.0]})
    for product in columns:
        values = vocabulary.evaluate(product[0], outside)
        assert np.diff(values, 2) == pytest.approx(0.0, abs=1e-9)


def test_new_category_is_refused_without_naming_it():
    vocabulary, columns = columns_of(["site"], pd.DataFrame({"site": ["a", "b"]}))
    with pytest.raises(FitError, match="1 rows") as caught:
        vocabulary.evaluate(next(iter(columns))[0], pd.DataFrame({"site": ["secret"]}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("texts", [["1", "t", "x", "t:x"], ["1", "t", "square(t)"], ["t", "t:x"]])
def test_internal_columns_span_the_users_columns(texts):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"t": rng.normal(3, 1, 40), "x": rng.normal(-2, 5, 40)})
    vocabulary, products = columns_of(texts, data)

    def values(factor):
        return vocabulary.evaluate(factor, data)

    columns = build_columns(list(products), [list(products)], values)
    from alliance.mixed.design import internal_values

    internal = np.column_stack(
        [
            internal_values(key, values, columns.centres) / scale * np.ones(40)
            for key, scale in zip(columns.internals, columns.scales, strict=True)
        ]
    )[:, columns.fixed_index]
    user = np.column_stack(
        [np.prod([values(f) for f in product], axis=0) * np.ones(40) for product in products]
    )
    np.testing.assert_allclose(internal @ columns.fixed_transform, user, rtol=1e-12, atol=1e-12)
