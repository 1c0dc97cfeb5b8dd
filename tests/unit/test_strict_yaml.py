import time

import pytest

from alliance.config import strict_yaml
from alliance.errors import ConfigError


def problems(text):
    document = strict_yaml.parse(text, "x.yaml")
    return [(p.line, strict_yaml.shown(p.path), p.message) for p in document.problems]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: 1\nb: -2\nc: 0.5\nd: text", {"a": 1, "b": -2, "c": 0.5, "d": "text"}),
        ("a: true\nb: false\nc:\nd: ~", {"a": True, "b": False, "c": None, "d": None}),
        ('a: "NO"\nb: "007"\nc: \'1e5\'', {"a": "NO", "b": "007", "c": "1e5"}),
        ("a: [1, x, dd.mm.yyyy]", {"a": [1, "x", "dd.mm.yyyy"]}),
        ("codes: {1: female, 2: male}", {"codes": {"1": "female", "2": "male"}}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("\ufeffa: Größe", {"a": "Größe"}),
        ("a: 1.2.3\nb: v1\nc: 12 weeks", {"a": "1.2.3", "b": "v1", "c": "12 weeks"}),
        ("", None),
        ("# only a comment\n", None),
    ],
)
def test_plain_values(text, content, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    assert strict_yaml.load(file) == content


@pytest.mark.parametrize("word", ["NO", "no", "yes", "On", "off", "y", "N", "True", "FALSE"])
def test_implicit_booleans_are_errors(word):
    ((line, where, message),) = problems(f"a: 1\nanswer: {word}")
    assert (line, where) == (2, "answer")
    assert word in message and "quotes" in message


@pytest.mark.parametrize(
    "word",
    ["007", "0x1F", "0o17", "1_000", "1:30", "1e5", "2024-01-12", ".5", "5.", ".inf", ".NaN"],
)
def test_texts_that_would_become_numbers_or_dates_are_errors(word):
    ((_, where, message),) = problems(f"ids: [a, {word}]")
    assert where == "ids → entry 2"
    assert f'"{word}"' in message


def test_they_are_errors_as_keys_too():
    assert [where for _, where, _ in problems("codes: {NO: 0, 007: 1}")] == [
        "codes → NO",
        "codes → 007",
    ]


def test_duplicate_keys_name_the_first_line():
    assert problems("seed: 1\ntitle: x\nseed: 2") == [
        (3, "seed", "this key stands here a second time (first: line 1)")
    ]


@pytest.mark.parametrize(
    "text",
    ["a: &x [1]\nb: *x", "a: {<<: 1}", "a: !!python/object/apply:os.system [ls]", "a: !x b",
     "a: 1\n---\nb: 2"],
)  # fmt: skip
def test_what_runs_or_repeats_is_an_error(text):
    assert problems(text)


def test_all_problems_in_one_pass(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("a: NO\na: 1\nb: 007\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        strict_yaml.load(file)
    for line in ("line 1", "line 2", "line 3"):
        assert line in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1, 2\n", 2), ('a: "x\n', 2), ("a:\n\tb: 1", 2), ("a: b: c", 1), ("a\nb: c", 2),
     ("a: 1\n  b: 2", 2), ("a: \x00", 1), ("a: 1\nb: \x07", 2), ("? [1]\n: 2", 1)],
)  # fmt: skip
def test_what_is_no_yaml_is_told_with_its_line(text, line):
    with pytest.raises(ConfigError, match=rf"x\.yaml, line [{line}-{line + 1}]: "):
        strict_yaml.parse(text, "x.yaml")


def test_bombs_are_refused_quickly(tmp_path):
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.monotonic()
    assert problems(laughs)
    with pytest.raises(ConfigError, match="deep"):
        strict_yaml.parse("[" * 100_000, "x.yaml")
    with pytest.raises(ConfigError, match="deep"):
        strict_yaml.parse("{a: " * 100_000, "x.yaml")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"a: 1\n" * 1_000_000)
    with pytest.raises(ConfigError, match="too many"):
        strict_yaml.read(large)
    assert time.monotonic() - started < 2


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        strict_yaml.read(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_bytes("a: 1\nb: Größe".encode("latin-1"))
    with pytest.raises(ConfigError, match="line 2: the file is not UTF-8"):
        strict_yaml.read(tmp_path / "x.yaml")
