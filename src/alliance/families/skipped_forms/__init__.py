"""Skipped forms: whether a form that was not filled in foretells who drops out."""

from alliance.families.family import Family
from alliance.families.skipped_forms.options import OPTIONS

FAMILY = Family(
    name="skipped_forms",
    question="whether a skipped form foretells dropout",
    options=OPTIONS,
    fit="alliance.families.skipped_forms.model:skipped_forms_fit",
    sections={"dropout": "skipped_forms/section.html"},
    methods_part="Dropout",
    methods="alliance.families.skipped_forms.words:methods",
    found="alliance.families.skipped_forms.found:found",
)
