"""For whoever asks after a run: where is this number from, is the folder whole, what changed.

- `printed`: find a number by its id, its words or its place in a table.
- `explain`: all that is known of it, as text and as a page; `rows`: down to the raw rows.
- `certificate`: is a results folder as the run made it (`whole`), and does it agree with itself.
- `compare`: how two runs differ; `causes`: what that began with.

It reads what a run has recorded (`alliance.findings`, `alliance.running.steps`), and no more than
`explain` needs a library beside Python's own.
"""
