"""How a form's answers are stored, as lines of the mapping: each one a guess."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.newcohort.forms import Form
from alliance.newcohort.nodes import DECIDE, GUESS, Node, listed
from alliance.newcohort.turned import Turned


def stored_nodes(form: Form) -> list[Node]:
    """Return how the answers are stored, where they do not run as the form's own."""
    key = form.key
    if key is None:
        return []
    reversed_already = _turned_nodes(form.turned)
    if key.stored_as is not None:
        ends = listed([int(end) for end in key.stored_as])
        return [Node("stored_as", ends, comment=GUESS + key.reason), *reversed_already]
    nodes = []
    for item, codes in key.codes_by_item.items():
        told = ", ".join(f"{text}: {answer:g}" for text, answer in codes.items())
        nodes.append(Node(str(item), f"{{{told}}}"))
    why = GUESS + key.reason + "; compare with the form"
    by_item = [Node("codes_by_item", below=nodes, comment=why)] if nodes else []
    return by_item + reversed_already


def _turned_nodes(turned: Turned | None) -> list[Node]:
    """Return whether the form's reversed items were reversed before the export."""
    if turned is None or not (turned.already or turned.in_doubt):
        return []
    if turned.in_doubt:
        told = f"was item {_words(turned.in_doubt)} reversed before the export? The key reverses it"
        told += ", and here it goes neither clearly with the others nor against them: true, false,"
        told += " or the list of those items that were"
        return [Node("already_reversed", comment=DECIDE + told)]
    told = f"item {_words(turned.already)}, which the key reverses, goes with the others as it"
    told += " stands here"
    value = listed(turned.already) if turned.as_printed else "true"
    return [Node("already_reversed", value, comment=GUESS + told)]


def _words(items: Sequence[int]) -> str:
    return " and ".join(map(str, items))
