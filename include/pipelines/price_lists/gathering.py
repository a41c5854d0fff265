"""What belongs into the day's set: the lists of this run, and what all other clients have already."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from extracts.errors import UsageError
from pipelines.price_lists import index
from pipelines.price_lists.guard import Finding, review_clients
from pipelines.price_lists.index import KEPT, Entry
from pipelines.price_lists.work import Export, Work

Concerned = list[list[str | None]]


@dataclass
class Gathered:
    """The set's clients, each with the folder that holds its files now, and what was found in their lists.

    `left`: codes of clients that had a list and are no longer active; `dropped`: of these, the ones that the
    operator had to release, as the package says it.
    """

    places: dict[str, tuple[Entry, Path]] = field(default_factory=dict)
    concerned: Concerned = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    dropped: list[dict[str, str | None]] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """The clients, by code."""
        return [self.places[code][0] for code in sorted(self.places)]


def gather(
    work: Work, export: Export, *, batches: int, active: Sequence[str], before: index.Set | None
) -> Gathered:
    """Put the run's lists together with those of `before`, the last set that is not after the run's day.

    Raises UsageError when a batch was not made, and for the release of a client that nobody knows.
    """
    known = {"*", *active, *(before.entries if before else ())}
    if unknown := sorted(set(export.release) - known):
        raise UsageError(f"to be released, but no client's code: {', '.join(map(repr, unknown))}")
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
    return gathered


def _add_others(gathered: Gathered, export: Export, active: set[str], before: index.Set) -> None:
    same_day = before.day == export.day
    too_many = review_clients(active, before.entries, export.bounds)
    for code in sorted(before.entries.keys() - gathered.places.keys()):
        entry = before.intact(before.entries[code])
        findings = _lost(before.entries[code], entry)
        if code not in active:
            if too_many is None or export.releases(code):
                gathered.left.append(code)
                if too_many:
                    gathered.dropped.append(
                        {"name": code, "reason": too_many.reason, "by": export.released_by}
                    )
                continue
            findings = [too_many]
        if findings:
            entry = entry.held(findings)
            gathered.concerned += index.rows_concerned(entry, findings)
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


def _lost(entry: Entry, intact: Entry) -> list[Finding]:
    """What is to be said of a list that this run does not make, and that not all files are left of."""
    names = [name for form, name in entry.files.items() if form not in intact.files]
    return [Finding(f"{name} was removed or damaged: export this client again", ()) for name in names]
