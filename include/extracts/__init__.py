"""A query in, a published set of files out.

The data's way is the table of contents: `window`, which instants a day has; `postgres`, one snapshot of the
database; `queries`, what to read from it; `formats`, rows to bytes; `publication`, files that a reader sees
all at once; `verify`, whether they still are what was published. `errors` says how each of them ends badly.
"""

__version__ = "0.1.0"
