"""Measurements, run by `make bench`: what a claim costs, beside yardsticks in the same minute on the same cores.

Nothing here asserts a time. Aims are printed with whether they are met; peer-cost.md §6 says where they come from.
"""
