"""Delivery statuses against orders: the share of orders that ended in an error, and what it rests on.

`analyse` finds the verdict, `publish` makes it a published set of files, and
`python -m pipelines.delivery_status` does both from a command line.
"""

from pipelines.delivery_status.analysis import analyse
from pipelines.delivery_status.publishing import DATASET, publish
from pipelines.delivery_status.settings import Settings
from pipelines.delivery_status.verdict import Verdict

__all__ = ["DATASET", "Settings", "Verdict", "analyse", "publish"]
