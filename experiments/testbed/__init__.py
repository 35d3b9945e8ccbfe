"""The testbed's making: training its models, and every table `data/testbed_*.csv`; `python -m experiments.testbed`."""
