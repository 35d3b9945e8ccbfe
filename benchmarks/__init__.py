"""The project's speed and size: `python -m benchmarks` measures, beside `benchmarks/budget.csv`."""
