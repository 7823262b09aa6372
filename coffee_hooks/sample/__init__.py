"""Data of the sample: the files of a small repository and the script that stands in for an agent."""
