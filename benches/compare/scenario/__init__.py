"""One file for each thing that is measured. Each has

- `name`, for `--only`
- `is_asked_for`: whether it runs only when it is asked for
- `takes_any_log`: whether it can do with `--log`
- `run(logs, peers, rounds)`, which gives a `report.Table`

A bench of the store or of the collector is a further file, and a line below.
"""

from scenario import archive, counting, growth, names, program, window, wrapped

SCENARIOS = [*names.SCENARIOS, counting, window, archive, wrapped, growth, program]
