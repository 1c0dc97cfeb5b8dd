"""The figure of the share folder, drawn from the shared counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alliance.sharing.names import HIDDEN
from alliance.sharing.tables import SharedTable


def draw_staying(tables: Sequence[SharedTable], folder: Path) -> None:
    """Draw how many clients are still in treatment at every fourth session.

    Parameters
    ----------
    tables
        Those of the share folder; hidden counts are left out of the picture.
    folder
        Where `staying.svg`, `.png` and `.pdf` are written.
    """
    from alliance.figures import style

    rows = next((table.rows for table in tables if table.name == "staying"), ())
    shown = [(int(session), count) for session, count in rows if count != HIDDEN]
    with style.in_house_style():
        if shown:
            figure = style.new_figure(60)
            axes = figure.subplots()
            sessions = [session for session, _ in shown]
            axes.bar(sessions, [count for _, count in shown], width=2.4, color=style.BLUE)
            axes.set_xticks(sessions)
            axes.set_xlabel("Session")
            axes.set_ylabel("Clients, rounded")
            axes.set_ylim(0, max(count for _, count in shown) * 1.05 or 1)
        else:
            figure = style.nothing_to_show("Every count is hidden.")
        style.save(figure, folder / "staying")
