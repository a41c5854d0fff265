"""The mails of the price lists: what the guard held, for operators, and what was delivered, for analysts."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from extracts import versions
from extracts.package import Descriptor, load
from extracts.publication import Published
from pipelines.notices import Attachment, Notice, attachment
from pipelines.price_lists import index
from pipelines.price_lists.guard import Concerned
from pipelines.price_lists.index import Entry
from pipelines.run_notices import Run, recovery

# What a mail tells one by one, so that it stays short enough to read on the day when everything is held.
CLIENTS_SHOWN = 20
ROWS_SHOWN = 3

_Findings = dict[str, list[Concerned]]


class _Set(NamedTuple):
    """A published set; `findings` are the rows concerned, by client code and reason."""

    descriptor: Descriptor
    folder: Path
    clients: Sequence[Entry]
    findings: dict[str, _Findings]

    def having(self, status: str) -> list[Entry]:
        return [client for client in self.clients if client.status == status]


def held(package: Path | str, run: Run) -> Notice:
    """The guard held lists back: which, why, the rows concerned, and how to release them.

    `package` is the `datapackage.json` of the day's set. Raises DataRefused when the set is damaged.
    """
    found = _read(package)
    day, assortment = found.descriptor["day"], found.descriptor["assortment"]
    again = {"date": day} if assortment == "full" else {"date": day, "assortment": assortment}
    everyone = found.having(index.HELD)
    left = [client for client in everyone if _has_left(client, found)]
    clients = [client for client in everyone if client not in left]
    listed = _listed(client.code for client in clients[:CLIENTS_SHOWN])
    values = {
        **_common(found, run),
        "held": _shown(clients, found),
        "held_more": max(0, len(clients) - CLIENTS_SHOWN),
        "left": _codes(client.code for client in left),
        "left_reason": left[0].reasons if left else None,
        "again": json.dumps(again),
        "release": _configuration(again, clients=listed, release=listed),
        "release_left": _configuration(again, release=_listed(client.code for client in left)),
        "release_all": _configuration(again, release='["*"]'),
        "dag_url": run.url.partition("/runs/")[0],
    }
    subject = f"{_lists(assortment)} held: {len(everyone):,} of {_clients(len(found.clients))} on {day}"
    rows = attachment(found.folder / index.CONCERNED)
    return Notice("alert", subject, "price_list_held", values, {}, [rows])


def delivered(package: Path | str, run: Run) -> Notice:
    """The day's set is published: counts, what was held and why, where the files are.

    `package` is the `datapackage.json` of the day's set. Raises DataRefused when the set is damaged.
    """
    found = _read(package)
    day = found.descriptor["day"]
    clients, released = found.having(index.HELD), found.having(index.RELEASED)
    values = {
        **_common(found, run),
        "held": _shown(clients, found),
        "held_more": max(0, len(clients) - CLIENTS_SHOWN),
        "released": _shown(released, found),
        "released_more": max(0, len(released) - CLIENTS_SHOWN),
        "left": _codes(found.descriptor["left"]),
        "archive": f"price-lists-{day}.zip",
        "recovery": recovery(run),
    }
    lists = _lists(found.descriptor["assortment"])
    subject = f"{lists} delivered: {_clients(values['new_count'])} on {day}"
    if clients:
        subject += f", {len(clients):,} held"
    if run.tries:
        subject += " (recovered)"
    summary = Attachment("summary.xlsx", (found.folder / "summary.xlsx").read_bytes())
    return Notice("success", subject, "price_list_delivered", values, {}, [summary])


def _configuration(again: dict[str, str], **lists: str) -> list[str]:
    """The configuration of a run that releases lists, the lines of a JSON object.

    It says the same after a mail program has wrapped it and folded its spaces.
    """
    beginning = json.dumps(again).removesuffix("}")
    return [
        f"{beginning},",
        *(f'"{name}": {listed},' for name, listed in lists.items()),
        '"released_by": "your name"}',
    ]


def _listed(codes: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, codes))}]"


def _quoted(code: str) -> str:
    """The code as JSON with nothing invisible in it: of spaces, only single ones between words stay."""
    text = re.sub(r'(?<=[" ]) | (?=[" ])', r"\\u0020", json.dumps(code, ensure_ascii=False))
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


def _code(code: str) -> str:
    quoted = _quoted(code)
    return code if quoted == f'"{code}"' else quoted


def _codes(codes: Iterable[str]) -> str:
    texts = [_code(code) for code in codes]
    more = len(texts) - CLIENTS_SHOWN
    return ", ".join(texts[:CLIENTS_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _lists(assortment: str) -> str:
    return "Price lists" if assortment == "full" else "Contract price lists"


def _clients(number: int) -> str:
    return f"{number:,} client" if number == 1 else f"{number:,} clients"


def _has_left(client: Entry, found: _Set) -> bool:
    """Whether it is the client that is gone, not rows of its list: held with all others that are."""
    rows = [row for concerned in found.findings.get(client.code, {}).values() for row in concerned]
    return any(row.sku is row.product is row.now is None for row in rows)


def _shown(clients: Sequence[Entry], found: _Set) -> list[dict[str, Any]]:
    return [
        {
            "code": _code(client.code),
            "name": " ".join(client.name.split()),
            "list_date": client.list_date,
            "released_by": client.released_by,
            "findings": {
                reason: rows[:ROWS_SHOWN] for reason, rows in found.findings.get(client.code, {}).items()
            },
        }
        for client in clients[:CLIENTS_SHOWN]
    ]


def _common(found: _Set, run: Run) -> dict[str, Any]:
    counts = Counter(client.status for client in found.clients)
    new = [*found.having(index.PUBLISHED), *found.having(index.RELEASED)]
    return {
        "new_count": len(new),
        "released_count": counts[index.RELEASED],
        "held_count": counts[index.HELD],
        "kept_count": counts[index.KEPT],
        "left_count": len(found.descriptor["left"]),
        "rows": sum(client.rows or 0 for client in new),
        "contract_rows": sum(client.contract_rows or 0 for client in new),
        "folder": str(found.folder),
        "run": run,
    }


def _read(package: Path | str) -> _Set:
    package = Path(package)
    descriptor = load(package)
    version = descriptor["version"]
    folder = versions.path(package.parent, version)
    content = index.read(Published(folder, package, version, False, descriptor))
    findings: dict[str, _Findings] = {}
    for code, _, reason, *row in content.concerned:
        findings.setdefault(str(code), {}).setdefault(str(reason), []).append(Concerned(*row))
    return _Set(descriptor, folder, list(content.entries.values()), findings)
