"""Names that the config admits may hold digits; whatever prints them must vouch for them."""

import re

import pytest

from alliance.findings.verify import verify
from alliance.manuscript import Documents, write_manuscript

KEPT = {"construct", "family", "instrument", "schema", "kind", "role", "level", "estimator", "code"}


def renamed(content, names):
    """Return the same content with every name in it, also as part of a longer one, replaced."""
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z_])(?:{longest_first})(?![A-Za-z])")

    def rename(value, key=""):
        if isinstance(value, dict):
            named = rename if key == "fit_statistics" else str  # names of terms are keys there
            return {named(name): rename(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [rename(entry, key) for entry in value]
        if isinstance(value, str) and key not in KEPT:
            return pattern.sub(lambda found: names[found[0]], value)
        return value

    return rename(content)


@pytest.fixture(scope="module")
def numbered(mock, results_of, tmp_path_factory):
    """Return results in which every cohort, site, measure, model, label and title has a digit."""
    fits = [*mock.fits(), *mock.otherwise.fits(mock)]
    description = mock.description(title="Alliance in 4 clinics, 2024")
    # a label may also look like an entity of HTML
    fits[0]["fit_statistics"]["i_squared_percent (alliance)"] = 12.5
    names = {fit["model"]: f"{fit['model']}_2" for fit in fits}
    names |= {fit["title"]: f"{fit['title']} 2" for fit in fits}
    names |= {fit["outcome"]["label"]: f"{fit['outcome']['label']} 3 &amp;A_1" for fit in fits}
    names |= {
        measure["label"]: f"{measure['label']} 3 &amp;A_1" for measure in description["measures"]
    }
    names |= {measure["name"]: f"{measure['name']}_9" for measure in description["measures"]}
    names |= {site: f"{site}4" for site in mock.FOUR}
    folder = tmp_path_factory.mktemp("numbered")
    results = results_of(
        folder,
        fits=[renamed(fit, names) for fit in fits],
        description=renamed(description, names),
        truth=False,
    )
    return results.publish(figures=False)


def test_every_document_vouches_for_names_with_digits(numbered):
    manuscript = numbered.folder / "manuscript"
    listed = "audit/manuscript_findings.json"
    words = {
        "methods_word": manuscript / "methods.docx",
        "results_word": manuscript / "results.docx",
        "tables_word": manuscript / "tables.docx",
        "checklists_word": manuscript / "checklists.docx",
    }
    pages = [manuscript / "methods.html", manuscript / "results.html"]
    write_manuscript(
        **numbered.inputs,
        run=numbered.folder / "audit" / "run.json",
        references=numbered.references,
        documents=Documents(
            methods_markdown=manuscript / "methods.md",
            results_markdown=manuscript / "results.md",
            methods_html=pages[0],
            results_html=pages[1],
            **words,
        ),
        findings=numbered.folder / listed,
    )
    texts = {f"manuscript/{path.name}": listed for path in (*pages, *words.values())}
    tables = {f"tables/{path.name}": None for path in (numbered.folder / "tables").glob("*.html")}
    verify(
        documents={"report.html": "audit/findings.json"} | texts | tables,
        fits=[],
        same_words={
            f"manuscript/{name}.md": f"manuscript/{name}.docx" for name in ("methods", "results")
        },
        results_folder=numbered.folder,
        out=numbered.folder / "checks" / "printed_numbers.csv",
    )
    shown = numbered.html()
    for name in ("alliance growth 2", "alliance_9", "north4", "(alliance 9)"):
        assert name in shown
