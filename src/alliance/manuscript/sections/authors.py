"""What only the authors know: it stands in square brackets until they have written it."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Paragraph
from alliance.manuscript.material import Material
from alliance.manuscript.prose import heading, paragraphs

THERAPISTS = "Therapists: profession, training, experience and supervision"
OF_THE_STUDY = (
    "Recruitment and eligibility: how clients came to the study, and who was left out by design",
    "Diagnoses: how they were made, and how many clients had which",
    "Treatment: which, in what setting and of what planned length",
    "Sample size: how it was decided, and the power that it gives the primary effects",
)
OF_THE_PAPER = (
    "Ethics: which committee approved the study, and how consent was given",
    "Registration: where and when the study and its analyses were registered, or that they were "
    "not",
    "Data and materials: where they can be had, or why they cannot",
    "Code: where this configuration and the program can be had",
    "Funding: who paid for the study, and what part they had in it",
    "Conflicts of interest: those of each author, or that there are none",
)


ALL = (THERAPISTS, *OF_THE_STUDY, *OF_THE_PAPER)


def of_the_study(total: Field) -> list[Paragraph]:
    """Return what the part on participants asks the authors for."""
    asked = (THERAPISTS, *OF_THE_STUDY) if total["therapists"].raw else OF_THE_STUDY
    return paragraphs((_bracketed(asked),))


def transparency(material: Material) -> list[Block]:
    """Return the section on transparency and openness, which is the authors' to write."""
    return [heading("Transparency and openness"), *paragraphs((_bracketed(OF_THE_PAPER),))]


def _bracketed(asked: tuple[str, ...]) -> str:
    return " ".join(f"[{one}.]" for one in asked)
