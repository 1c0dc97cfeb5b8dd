"""Names and titles of the shared tables (light: the workflow is parsed with them)."""

from __future__ import annotations

HIDDEN = "hidden"  # one mark for all: it does not tell a small count from one that protects it

UNKNOWN = "not known"
BETWEEN = " | "  # a characteristic and its category

TITLES = {
    "flow": "Who took part, and how treatments ended",
    "forms": "Forms by site and measure",
    "characteristics": "Clients by category and site",
    "dropout_definitions": "Dropout by every definition",
    "staying": "Clients still in treatment, at every fourth session",
    "change": "Reliable change of clients with two scores",
    "models": "Clients and rows of each model",
    "means": "Means and standard deviations",
    "effects": "Effects",
}
FIRST_COLUMN = {
    "flow": "site",
    "forms": "site",
    "characteristics": "characteristic",
    "dropout_definitions": "definition",
    "staying": "session",
    "change": "measure",
    "models": "model",
}  # of the tables of counts; means and effects are records
