"""What belongs into the day's set: the lists of this run, and what all other clients have already."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.price_lists import index
from pipelines.price_lists.guard import review_clients
from pipelines.price_lists.index import KEPT, Entry
from pipelines.price_lists.work import Export, Work

Concerned = list[list[str | None]]


@dataclass
class Gathered:
    """The set's clients, each with the folder that holds its files now, and what was found in their lists.

    `left`: codes of clients that had a list and are no longer active.
    """

    places: dict[str, tuple[Entry, Path]] = field(default_factory=dict)
    concerned: Concerned = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """The clients, by code."""
        return [self.places[code][0] for code in sorted(self.places)]


def gather(
    work: Work, export: Export, *, batches: int, active: Sequence[str], before: index.Set | None
) -> Gathered:
    """Put the run's lists together with those of `before`, the last set that is not after the run's day.

    Raises UsageError when a batch was not made.
    """
    gathered = Gathered()
    for batch in range(batches):
        made = work.load(f"made-{batch}")
        for content in made["entries"]:
            entry = Entry.from_json(content)
            gathered.places[entry.code] = entry, work.files
        gathered.concerned += made["concerned"]
    if before is not None:
        _add_others(gathered, export, set(active), before)
    gathered.concerned.sort(key=lambda row: str(row[0]))
    gathered.left.sort()
    return gathered


def _add_others(gathered: Gathered, export: Export, active: set[str], before: index.Set) -> None:
    same_day = before.day == export.day
    too_many = review_clients(active, before.entries, export.bounds)
    for code, entry in before.entries.items():
        if code in gathered.places:
            continue
        if code not in active:
            if too_many is None or export.releases(code):
                gathered.left.append(code)
                continue
            entry = entry.held([too_many])
            gathered.concerned += index.rows_concerned(entry, [too_many])
        elif not same_day:
            entry = replace(entry, status=KEPT, reasons=None, released_by=None)
        gathered.places[code] = entry, before.folder
    if same_day:
        # What was said of lists that stay as they are; of a list that was judged again, the new word stands.
        judged = {row[0] for row in gathered.concerned}
        for row in before.concerned:
            code = str(row[0])
            if code not in judged and gathered.places.get(code, (None,))[0] == before.entries.get(code):
                gathered.concerned.append(list(row))
