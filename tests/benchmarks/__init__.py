"""Measurements that are run by hand: they take minutes, and their numbers need a quiet machine."""
