"""Price lists of B2B clients: read once, made in batches, checked against the last ones, published as a set.

The way of a list: `reading` (one query, split into batches) → `making` (files, and the guard's word) →
`publishing` (the day's set). `work` is what was asked for and where a run works; `index` says what each
client got. `python -m pipelines.price_lists` does all of it from a command line.
"""

from pipelines.price_lists.making import make_lists
from pipelines.price_lists.publishing import publish
from pipelines.price_lists.settings import Bounds, bounds
from pipelines.price_lists.work import DATASETS, FORMATS, Export, Work

__all__ = ["DATASETS", "FORMATS", "Bounds", "Export", "Work", "bounds", "make_lists", "publish"]
