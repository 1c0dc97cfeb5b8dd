"""What looks implausible once all of a site's answers, and all sites, lie side by side.

See `alliance.ingest.plausibility`, which finds it, and docs/plausibility.md.
"""

from __future__ import annotations

from alliance.ingest.rule import Rule, rules

PLAUSIBILITY_RULES: dict[str, Rule] = {
    **rules(
        "noted",
        item_turned_round=(
            "items that go together once the key's reversed items are reversed",
            "compare with the form: was the item reversed before the export? Then name it in"
            " `already_reversed` of this measure in the site mapping. Is the site's wording the"
            " other way round, or does every site show it? Then compare the scoring key",
        ),
        item_unrelated=(
            "items that go together with their form",
            "look whether this column was sorted, or pasted, apart from the others, and whether it"
            " is this item at all",
        ),
        item_constant=(
            "answers that differ",
            "look whether the column was filled in by default",
        ),
        item_never_answered=(
            "every item of the form answered by somebody",
            "look whether the site's form has this item (another version?) and whether the mapping"
            " names the right column",
        ),
        items_exchanged=(
            "items that look as at the other sites",
            "compare the order of the columns with the form: these two have changed places",
        ),
        items_in_other_order=(
            "items of one subscale that go together",
            "compare the order of the columns in the site mapping with the form",
        ),
        key_of_another_form=(
            "items of one subscale that go together",
            "look which version of the form was used, and name its `instrument` in the config",
        ),
        key_differs=(
            "the same key for the same form",
            "compare both keys with the publication, and use the one that is right (or give yours"
            " a name of its own, if the form is another one)",
        ),
        scale_end_unused=(
            "answers over the whole scale",
            "look whether the site used another scale: counted from another number, give"
            " `stored_as`; 1-5 for 1-7, give `codes` or name the right `instrument`",
        ),
        scale_turned_round=(
            "answers in the form's own direction",
            "look whether the site's numbers run the other way (1 for the best answer): give"
            " `stored_as` with the highest number first ([5, 1]) for this measure in the site"
            " mapping",
        ),
        raters_exchanged=(
            "forms that look like the same rater's elsewhere",
            "look whether the client's and the therapist's form changed places in the site mapping",
        ),
        shared_clients=(
            "clients of their own at every site",
            "find out at which site these clients were treated, and leave the other copies out",
        ),
        client_twice=(
            "one id for each client",
            "find out whether these are one person under two ids (entered twice, two imports), and"
            " leave one copy out",
        ),
        straight_lining=(
            "forms in which the answers differ from item to item",
            "look at these forms (the list lies in the private folder): were they really filled"
            " in?",
        ),
        carried_forward=(
            "forms that differ from session to session",
            "look at these forms (the list lies in the private folder): does the software carry the"
            " last answers forward?",
        ),
        totals_for_items=(
            "an answer of its own for each item",
            "export the answers to the items: these columns hold one number per form, a total or a"
            " mean",
        ),
        zeros_for_blanks=(
            "blank cells where a form was not filled in",
            "look whether the export writes 0 where a form is missing, and leave these cells empty",
        ),
        rows_mixed_up=(
            "forms of one client that are more alike than those of different clients",
            "look whether the column of ids was sorted, or pasted, apart from the answers",
        ),
        week_unit=(
            "sessions as far apart as elsewhere",
            "look whether the column counts days or weeks, and name it `day` or `week` accordingly",
        ),
    ),
}
