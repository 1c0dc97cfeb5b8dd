"""The page that lies beside the simulated raw files."""

README = """\
# The demo cohort: simulated

**Nobody in these files exists.** They were made by `alliance.simulate` from the seed in
`config/config.yaml`, with published effect sizes as anchors, and hold faults on purpose.

Rebuild them, byte for byte: `make demo-data` (or `python -m alliance simulate --config config/config.yaml`).

| site | files | habit |
|---|---|---|
| north | `verlauf.csv` | German spreadsheet, a row for each client: semicolons, Latin-1, CRLF, decimal comma, dd.mm.yyyy; ids with leading zeros; blank where a session or an answer is missing |
| east | `sessions.sav` | SPSS, a case for each session: value labels, -9 user-missing for skipped items, system-missing where a form was not filled in; client's facts on every case |
| south | `redcap_export.csv`, `discharge.csv` | REDCap longitudinal export (UTF-8, codes, yyyy-mm-dd): `intake_arm_1`, then `session_<n>_arm_1`; gender 1 female, 2 male, 3 diverse; `*_complete` 2 complete, 0 incomplete; discharge 1 dropout, 2 agreed completion, 3 transfer, 4 in treatment |
| west | `sessions.xlsx` | Excel workbook with the sheets Clients, Sessions (real dates) and Answers (a row for each answer) |

Clients rate the alliance (WAI-SR, 12 items, 1-5) and symptoms (PHQ-9, 9 items, 0-3) after each session,
therapists the alliance (WAI-S, 12 items, 1-7, items 4 and 10 reversed) after every third.

`truth.json` holds the parameters with unit and source, what each model should find (`estimands`), who had a
rupture, and every planted fault with file, row and column as a spreadsheet shows them (`planted_faults`).
Clients with one session are in that list too: chance made them, and the project notes each.
"""
