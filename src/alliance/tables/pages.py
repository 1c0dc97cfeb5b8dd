"""What every page has in common: its head, where its templates stand, its style and policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

HERE = "alliance.tables"
POLICY = (
    "default-src 'none'; style-src '{style}'; img-src {images}; base-uri 'none'; form-action 'none'"
)


def environment(
    *packages: str,
    folders: Sequence[str] = (),
    finalize: Callable[[Any], Any] | None = None,
) -> jinja2.Environment:
    """Return where templates are looked up: in these packages, then `base.html` and tables here.

    Parameters
    ----------
    packages
        Packages with a folder `templates`, in the order in which they are searched.
    folders
        Further folders with templates.
    finalize
        Applied to every value before it is printed.
    """
    loaders: list[jinja2.BaseLoader] = [
        jinja2.PackageLoader(package, "templates") for package in (*packages, HERE)
    ]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([*loaders, jinja2.FileSystemLoader([*folders])]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )


def dressed(*sheets: tuple[str, str], images: str = "data:") -> dict[str, Any]:
    """Return `style` and `policy` of a page, which `base.html` asks for.

    Parameters
    ----------
    sheets
        (package, file) of style sheets among its templates, one after the other.
    images
        From where images may come; by default they stand in the page itself. Everything else is
        shut out: a page runs no script, opens offline and asks nobody for anything.
    """
    style = "".join(
        resources.files(package).joinpath(f"templates/{file}").read_text("utf-8")
        for package, file in sheets
    )
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return {
        "style": Markup(style),
        "policy": POLICY.format(style=f"sha256-{digest}", images=images),
    }
