"""A made-up cohort, drawn, tabulated and reported into a temporary folder."""

import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from alliance import files
from alliance.checklists import fill_checklists
from alliance.findings.fields import Field
from alliance.findings.results import Results as Read
from alliance.manuscript.markdown import write_markdown
from alliance.manuscript.methods import methods_text
from alliance.manuscript.references import all_works
from alliance.manuscript.results import results_text

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def mock():
    module = _loaded("mock")
    module.otherwise = _loaded("mock_otherwise")
    return module


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium, one for each worker; see browser.py for `opened`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    helper = _loaded("browser")
    if helper.chromium() is None:
        pytest.skip("no Chromium on this machine: the page was not opened in a browser")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=helper.chromium(), args=helper.FLAGS, headless=True
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def opened():
    """Return `browser.opened`."""
    return _loaded("browser").opened


@pytest.fixture(scope="session")
def sibling():
    """Return a function that loads a module of this folder by name."""
    return _loaded


def _loaded(name):
    spec = importlib.util.spec_from_file_location(f"presentation_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@dataclass
class Results:
    """The results folder of a cohort; `publish` makes everything that people see."""

    folder: Path
    inputs: dict
    truth: Path | None

    @property
    def report(self):
        return self.folder / "report.html"

    @property
    def findings(self):
        return self.folder / "audit" / "findings.json"

    @property
    def references(self):
        return self.folder / "manuscript" / "references.json"

    def html(self):
        return self.report.read_text(encoding="utf-8")

    def publish(self, figures=True):
        from alliance.figures import diagnostics_figures, draw_figures, painters
        from alliance.manuscript import collect_references
        from alliance.report import write_report
        from alliance.tables import make_tables

        if figures:
            draw_figures(**self.inputs, out_folder=self.folder / "figures")
        else:  # any picture will do where pictures are not what is tested
            fits = {path.stem: files.read_json(path) for path in self.inputs["fits"]}
            for name in (*painters(), *diagnostics_figures(fits).values()):
                drawing = f"<svg xmlns='http://www.w3.org/2000/svg'><title>{name}</title></svg>"
                files.write_text(drawing, self.folder / "figures" / f"{name}.svg")
        make_tables(
            **self.inputs,
            out_folder=self.folder / "tables",
            findings=self.folder / "audit" / "tables_findings.json",
            latex=figures,
        )
        collect_references(
            **self.inputs,
            run=self.folder / "audit" / "run.json",
            references=self.references,
            bibliography=self.references.with_suffix(".bib"),
        )
        self.write_report(write_report)
        return self

    def write_report(self, call):
        call(
            **self.inputs,
            figures_folder=self.folder / "figures",
            truth=self.truth,
            run=self.folder / "audit" / "run.json",
            references=self.references if self.references.is_file() else None,
            report=self.report,
            findings=self.findings,
        )

    def differences(self):
        from alliance.findings import check_findings

        return check_findings(self.report, self.findings, self.folder)


@pytest.fixture(scope="session")
def results_of(mock):
    """Return a function that lays out a made-up cohort in a folder."""

    def lay_out(folder, fits=None, description=None, truth=True):
        fits = mock.fits() if fits is None else fits
        description = mock.description() if description is None else description
        inputs = mock.write(folder, fits, description)
        results = inputs["description"].parent
        truth_path = folder / "data" / "raw" / "demo" / "truth.json" if truth else None
        if truth_path:
            files.write_json(mock.truth(), truth_path)
        run, checklists = results / "audit" / "run.json", results / "checklists.json"
        files.write_json(mock.RUN, run)
        fill_checklists(**inputs, run=run, checklists=checklists)
        inputs["further"] = [*inputs["further"], checklists]
        return Results(results, inputs, truth_path)

    return lay_out


@pytest.fixture(scope="session")
def published(results_of, tmp_path_factory):
    """Return the results of a cohort like the demo; tests must not change them."""
    return results_of(tmp_path_factory.mktemp("plain")).publish()


@pytest.fixture(scope="session")
def without_pictures(results_of, tmp_path_factory):
    """Return the same with empty pictures, for what has to be copied or read many times."""
    return results_of(tmp_path_factory.mktemp("without_pictures")).publish(figures=False)


@pytest.fixture(scope="session")
def marked(mock, results_of, tmp_path_factory):
    """Return results with singular, failed and refused fits; tests must not change them."""
    good = mock.fits()
    fits = [
        mock.singular(good[0]),
        mock.failed(good[1]),
        mock.failed(good[2]),
        mock.refused(good[3]),
        good[4],
    ]
    return results_of(tmp_path_factory.mktemp("marked"), fits=fits).publish(figures=False)


@pytest.fixture(scope="session")
def otherwise(mock, results_of, tmp_path_factory):
    """Return results with ladder, arms, panel and by_site; tests must not change them."""
    fits = [*mock.fits(), *mock.otherwise.fits(mock)]
    return results_of(tmp_path_factory.mktemp("otherwise"), fits=fits).publish(figures=False)


@pytest.fixture(scope="session")
def otherwise_marked(mock, results_of, tmp_path_factory):
    """Return the same with singular, failed and refused fits; tests must not change them."""
    fits = [*mock.fits(), *mock.otherwise.marked(mock)]
    folder = tmp_path_factory.mktemp("otherwise_marked")
    return results_of(folder, fits=fits).publish(figures=False)


@pytest.fixture(scope="session")
def all_figures(mock):
    """Return results with every family of models, and every figure of them by name."""
    from alliance.families.family import load
    from alliance.figures import painters, style
    from alliance.findings import results

    description = mock.description()
    further = {"measurement": mock.measurement(description), "dropout": mock.leaving()}
    fits = [*mock.fits(), *mock.otherwise.fits(mock)]
    shown = results.Results(fits, description, further)
    with style.in_house_style():
        return shown, {name: load(painter)(shown) for name, painter in painters().items()}


@pytest.fixture(scope="session")
def said(mock):
    """Return a function that returns the words of a methods text, without any file."""
    return words_of(mock, methods_text)


@pytest.fixture(scope="session")
def told(mock):
    """Return a function that returns the words of a results text, without any file."""
    return words_of(mock, results_text)


def words_of(mock, text):
    def say(fits=None, description=None, **further):
        fits = mock.fits() if fits is None else fits
        description = mock.description() if description is None else description
        about = {"measurement": mock.measurement(description)} | further
        results = Read(
            fits=[Field(f"{fit['model']}.json", "", fit) for fit in fits],
            about=Field("description.json", "", description),
            further={name: Field(name, "", c) for name, c in about.items() if c is not None},
        )
        document = text(results, all_works(results), Field("run.json", "", mock.RUN))
        return re.sub(r"\\(?=[^\w\s])|\*|#+ ", "", write_markdown(document))

    return say
