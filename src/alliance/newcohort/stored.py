"""How a form's answers are stored, as lines of the mapping: each one a guess."""

from __future__ import annotations

from alliance.newcohort.forms import Form
from alliance.newcohort.nodes import GUESS, Node, listed


def stored_nodes(form: Form) -> list[Node]:
    """Return how the answers are stored, where they do not run as the form's own."""
    key = form.key
    if key is None:
        return []
    if key.stored_as is not None:
        ends = listed([int(end) for end in key.stored_as])
        return [Node("stored_as", ends, comment=GUESS + key.reason)]
    nodes = []
    for item, codes in key.codes_by_item.items():
        told = ", ".join(f"{text}: {answer:g}" for text, answer in codes.items())
        nodes.append(Node(str(item), f"{{{told}}}"))
    why = GUESS + key.reason + "; compare with the form"
    return [Node("codes_by_item", below=nodes, comment=why)] if nodes else []
