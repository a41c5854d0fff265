"""Rows to bytes: the formats that files are published in, and what a package says about them.

A module a format, imported by its own name, so that a command loads only what it writes.
"""
