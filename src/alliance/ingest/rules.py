"""Every rule that raw data can break: its name, what then happens, and the words for the user.

The names are fixed: they stand in `quarantine`, in the ledger and in the report.
"""

from __future__ import annotations

from alliance.ingest.rule import Rule, rules
from alliance.ingest.rules_of_plausibility import PLAUSIBILITY_RULES

RULES: dict[str, Rule] = {
    **rules(
        "stopped",
        file_missing=(
            "a file of this name in the site's raw folder",
            "put the file into the site's raw folder, or mend its name in the site mapping",
        ),
        file_empty=(
            "a header row and rows below it",
            "export the file again: it holds nothing",
        ),
        file_unreadable=(
            "a file of the format that the site mapping says",
            "export the file again, or mend format, encoding and delimiter in the site mapping",
        ),
        wrong_encoding=(
            "letters stored as the site mapping says (`encoding`)",
            "set `encoding` of this table in the site mapping",
        ),
        sheet_missing=(
            "a sheet of this name in the workbook",
            "mend `sheet` of this table in the site mapping",
        ),
        column_missing=(
            "a column of this name in the header row",
            "export the column again, or mend its name in the site mapping",
        ),
        rows_missing=(
            "as many rows as the site mapping says (`n_rows`)",
            "export the file again, or mend `n_rows` of this table in the site mapping",
        ),
        formula_without_value=(
            "formulas with the results that the spreadsheet program stores beside them",
            "open the workbook in a spreadsheet program and save it: this column holds formulas"
            " that were never worked out",
        ),
        column_twice=(
            "one column of this name",
            "rename or remove the second column of this name",
        ),
        label_shared=(
            "a label of its own for each field and each answer that is read",
            "export the raw data (field names in the header, codes in the cells) and take `header`"
            " and `cells` out of the site mapping, or give each of them a label of its own in"
            " REDCap and export again",
        ),
        keys_disagree=(
            "rows whose key the joined file has",
            "mend `by` of this file in the site mapping, or export both files with the same key:"
            " more than half of the rows find no partner",
        ),
        nearly_all_set_aside=(
            "rows that the site mapping fits",
            "mend the site mapping: one rule sets nearly all rows of this file aside",
        ),
        column_unreadable=(
            "cells that the site mapping fits",
            "mend the site mapping: one rule sets nearly all cells of this column aside",
        ),
        scale_shifted=(
            "answers on the form's own scale",
            "say with `stored_as` of this measure in the site mapping what stands for the form's"
            " lowest and highest answer: the form was entered counting from another number",
        ),
        item_on_another_scale=(
            "answers to each item on its own scale",
            "give `codes_by_item` for this measure in the site mapping, from the text in the file"
            " to the form's own answer, for these items",
        ),
        scale_of_another_length=(
            "answers on the form's own scale",
            "look which version of the form the site used: name its `instrument` in the config, or"
            " give `codes` if the site's answers can be put on this form's scale",
        ),
        twin_sites=(
            "answers that differ from those of every other site",
            "look whether the same export lies in the raw folders of both sites, and leave one out",
        ),
    ),
    **rules(
        "row set aside",
        row_too_long=(
            "as many cells as the header row has",
            "look for a stray quotation mark or separator in this row",
        ),
        row_too_short=(
            "as many cells as the header row has",
            "look for a stray quotation mark or a line break in this row",
        ),
        quote_astray=(
            "a quotation mark at both ends of a text, or none",
            "take out the stray quotation mark that begins in this row",
        ),
        file_cut_off=(
            "a complete last row",
            "export the file again: it ends in the middle of this row",
        ),
        header_again=(
            "the column names once, in the header row",
            "look whether two exports were put together here, and delete this row",
        ),
        no_key=(
            "a key in every row of a file that is joined on",
            "enter the key, or delete the row",
        ),
        key_twice=(
            "each key in one row, in a file that is joined on",
            "find out which row is right and delete the others (none of them is used)",
        ),
        summary_row=(
            "rows of clients; this one, at the end of the table, is called a total or a mean",
            "delete this row (if it is a client's after all, give the client another id)",
        ),
        no_client_id=(
            "a client id in every row",
            "enter the id",
        ),
        no_site=(
            "a site for every client",
            "enter the site, or add the client to the table that names the sites",
        ),
        client_at_two_sites=(
            "each client at one site, in the tables that name the sites",
            "find out where the client belongs and mend the other rows",
        ),
        bad_site=(
            "site names of letters, digits, _ . and -, the first no dot and no dash",
            "rename the site",
        ),
        no_session_number=(
            "a session number in every row",
            "enter the session number",
        ),
        bad_session_number=(
            "a whole session number from 1",
            "mend the session number",
        ),
        unknown_event=(
            "an event that the site mapping names",
            "add the event to `session` of this table (pattern, codes, about_client or ignore)",
        ),
        unknown_form=(
            "a questionnaire that the site mapping names",
            "add the questionnaire to `measures` of this table, or to `ignore_forms`",
        ),
        unknown_item=(
            "the number of an item on the form",
            "mend the item number",
        ),
        exact_duplicate=(
            "each row once",
            "delete this copy (the first one is kept)",
        ),
        conflicting_duplicate=(
            "one row for the same client, session and item",
            "find out which row is right and delete the others (all of them are set aside)",
        ),
    ),
    **rules(
        "cell set aside",
        not_a_number=(
            "a number, with the decimal sign that the site mapping says",
            "enter a number, or leave the cell empty",
        ),
        out_of_range=(
            "a number between the lowest and the highest answer",
            "compare with the form and enter the answer that was given",
        ),
        not_on_scale=(
            "one of the form's own steps",
            "compare with the form and enter the answer that was given",
        ),
        bad_date=(
            "a possible date, written as the site mapping says (`dates`)",
            "mend the date",
        ),
        unknown_code=(
            "a text that `codes` in the site mapping names",
            "mend the cell, or add the text to `codes`",
        ),
        two_boxes_ticked=(
            "one ticked box",
            "find out which box is meant and untick the others (the statement is set aside)",
        ),
        client_conflict=(
            "the same statement in all rows of a client",
            "find out which is right and mend the others (the statement is set aside); a therapist"
            " who changed belongs to `session_facts`",
        ),
        session_conflict=(
            "the same statement in all rows of a session",
            "find out which is right and mend the others (the statement is set aside)",
        ),
    ),
    **rules(
        "noted",
        file_without_rows=(
            "rows below the header row",
            "export the file again if there should be some",
        ),
        key_unmatched=(
            "a row with this key in the joined file",
            "look whether the key is mistyped, or the row missing from the joined file (the columns"
            " taken from it are empty here)",
        ),
        key_unused=(
            "a row of the table that asks for this key",
            "look whether the key is mistyped, or rows are missing from the table",
        ),
        client_not_in_file=(
            "a row for every client of the site in this file",
            "look whether the client is missing from the export, or mistyped; if the file rightly"
            " lacks some clients, set `every_client: false` for it in the site mapping",
        ),
        therapist_changed=(
            "the therapist of the session before",
            "look whether the change is true (it is kept with the session; `therapist_of_client` in"
            " the site mapping says whose client this is for the models)",
        ),
        hidden_row=(
            "rows that can be seen",
            "show the row and look whether it belongs here (it is read like any other)",
        ),
        merged_cells=(
            "a cell of its own for each row",
            "unmerge these cells and fill each of them in (all but the first are read as empty)",
        ),
        error_in_cell=(
            "a value, not an error such as #N/A or #REF!",
            "mend the formula, or empty the cell (it is read as empty)",
        ),
        client_with_one_session=(
            "more than one session",
            "look whether the other sessions are missing from the export",
        ),
        client_without_sessions=(
            "at least one session",
            "look whether the client's sessions are missing from the export",
        ),
        no_therapist=(
            "a therapist for every client",
            "enter the therapist",
        ),
        dates_against_sessions=(
            "a session no earlier than the one before it",
            "compare date and session number",
        ),
        session_before_intake=(
            "a session no earlier than the client's intake date",
            "compare both dates (weeks_since_intake is below zero here; log_weeks counts it as 0)",
        ),
        last_line_open=(
            "a line end after the last row, as after the others",
            "compare the last row with the source: the file may be cut off in it or after it (some"
            " programs leave the last line end out; then nothing is wrong)",
        ),
        session_jump=(
            "session numbers of a client that follow one another",
            "look whether this number is mistyped (it is kept; there is no session before it to"
            " compare with, and models of time by session number see a gap)",
        ),
        date_far_off=(
            "dates within twenty years of the site's others",
            "look whether the year is mistyped (the date is kept)",
        ),
        missing_on_scale=(
            "declared missing values of the file that are no answers on the form's scale",
            "take this value out of the variable's missing values in the statistics program and"
            " export the file again: answers with it were read as blank",
        ),
        hidden_column=(
            "columns that can be seen",
            "show the column and look whether it is the one that is meant (it is read like any"
            " other)",
        ),
        hidden_sheet=(
            "a sheet that can be seen",
            "show the sheet and look whether it is the one that is meant (it is read like any"
            " other)",
        ),
        long_pause=(
            "no more than three years between two sessions of a client",
            "look whether the year of this date or of the one before is mistyped (both are kept,"
            " and weeks_since_intake counts the years between)",
        ),
        first_session_undated=(
            "a date at the client's first session, or an intake date",
            "enter the date (until then weeks_since_intake is missing here and counts from the"
            " client's first dated session, so all later weeks are too small)",
        ),
        form_at_a_missed_session=(
            "no form at a session that is marked as not attended",
            "mend the mark or the session number (the answers are scored, but the models use"
            " attended sessions only)",
        ),
        id_is_a_date=(
            "ids that are no dates",
            "look whether the spreadsheet program turned an id such as 1-2 into a date; type it in"
            " again as text",
        ),
        id_is_rounded=(
            "ids in full, not as 1.23E+15",
            "format the column as text in the spreadsheet program and export the file again: it"
            " rounded these ids, so that two clients may have become one",
        ),
        look_alike_id=(
            "ids that differ in more than blanks, case or look-alike signs",
            "find out whether both are one (they are kept as two); if so, declare it: `same_as:"
            ' {client: {"one spelling": "the one that is kept"}}` in the site mapping (or'
            " `therapist`, `site`); the line to copy stands in look_alikes_<site>.yaml in the"
            " private folder",
        ),
        look_alike_category=(
            "words that differ in more than blanks, case or look-alike signs",
            "give `codes` for this fact in the site mapping, with one word for both spellings (they"
            " are kept as two categories)",
        ),
        look_alike_word=(
            "texts spelt as in the site mapping",
            "look whether they are the texts that are meant; to be rid of this note, spell them in"
            " the site mapping as they stand in the file",
        ),
        look_alike_name=(
            "the name that the site mapping gives",
            "look whether it is the one that is meant; to be rid of this note, mend the name in the"
            " file or in the site mapping",
        ),
        same_as_unused=(
            "the spellings that `same_as` of the site mapping names",
            "take the line out of `same_as`, or mend it: no file holds this spelling (copy it from"
            " look_alikes_<site>.yaml in the private folder)",
        ),
        total_disagrees=(
            "a recorded total equal to the sum of its items",
            "compare with the form: an item or the total is wrong",
        ),
        missing_code=(
            "answers, and no number that stands for a missing one (9, 99, 999, -9 ...)",
            "add that number to `missing` of this table in the site mapping",
        ),
        codes_leave_gaps=(
            "a text for each of the form's answers in `codes`",
            "look whether one text of the export stands for several answers (then export their"
            " numbers), or whether `codes` of this measure lacks one",
        ),
        implausible_number=(
            "numbers that a person's can be",
            "look whether the column is the one that is meant, and in which unit it is written",
        ),
        month_and_day=(
            "dates that follow one another as the sessions do",
            "compare `dates` of this table with the file: a spreadsheet has turned month and day of"
            " some dates round; export the dates as text or as yyyy-mm-dd",
        ),
        one_date_for_all=(
            "dates that tell the sessions of a client apart",
            "look whether this column is the date of the export or of the entry, not of the"
            " session",
        ),
        sessions_from_zero=(
            "session numbers from 1",
            "the site counts its sessions from 0 (or numbers the intake 0): give `codes` of"
            " `session` in the site mapping, such as {0: 1, 1: 2}",
        ),
    ),
    **PLAUSIBILITY_RULES,
}

# Reasons in the ledger beside the names of rules.
READ, KEPT, BLANK, NOT_SELECTED = "read", "kept", "blank", "not-selected"
