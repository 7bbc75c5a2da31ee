"""What an order costs: `python -m benchmarks`. docs/benchmarks.md says how it is measured and how to read it."""
