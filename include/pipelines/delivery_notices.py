"""The mails of the delivery analysis that only it sends: alert and success."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.notices import Attachment, Notice, attachment
from pipelines.run_notices import Run, recovery


def percent(share: float, apart_from: float | None = None) -> str:
    """A share as an analyst reads it: 0.1 is 10.00%.

    It has as many digits as it takes to differ from `apart_from`: an alert over 10.00% must not read 10.00%.
    """
    for digits in range(2, 10):
        text = f"{share:.{digits}%}"
        if apart_from is None or share == apart_from or text != f"{apart_from:.{digits}%}":
            break
    return text


def _read(package: Path | str) -> tuple[dict[str, Any], Path]:
    descriptor = json.loads(Path(package).read_text(encoding="utf-8"))
    version = Path(package).parent / Path(descriptor["resources"][0]["path"]).parent
    return json.loads((version / "verdict.json").read_text(encoding="utf-8")), version


def by_carrier(breakdown: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sum the breakdown's regions up: one row a carrier, the highest error share first."""
    sums: dict[str, list[int]] = {}
    for row in breakdown:
        of_carrier = sums.setdefault(row["carrier"] or "(no carrier)", [0, 0])
        of_carrier[0] += row["orders_with_status"]
        of_carrier[1] += row["error_orders"]
    rows = [
        {"carrier": carrier, "orders": orders, "errors": errors, "share": errors / orders if orders else 0.0}
        for carrier, (orders, errors) in sums.items()
    ]
    return sorted(rows, key=lambda row: (-row["share"], row["carrier"]))


def chart(carriers: Sequence[Mapping[str, Any]], threshold: float) -> bytes:
    """A PNG bar chart: the error share of each carrier against the threshold."""
    # Imported where it is needed: every parse of a DAG file would otherwise load it.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # A carrier called "$a$" is a name, not a formula.
    with rc_context({"text.parse_math": False}):
        return _bars(Figure, carriers, threshold)


def _bars(new_figure: Any, carriers: Sequence[Mapping[str, Any]], threshold: float) -> bytes:
    figure = new_figure(figsize=(7, 1.2 + 0.38 * len(carriers)), dpi=100, layout="constrained")
    axes = figure.subplots()
    names = [row["carrier"] for row in carriers][::-1]
    shares = [100 * row["share"] for row in carriers][::-1]
    over = [share > 100 * threshold for share in shares]
    # Hatching as well as colour, for a reader who prints the mail or does not tell red from grey.
    bars = axes.barh(
        names,
        shares,
        color=["#b3261e" if bad else "#7a8794" for bad in over],
        hatch=["//" if bad else "" for bad in over],
        edgecolor="white",
    )
    axes.bar_label(bars, fmt="%.1f%%", padding=3)
    axes.axvline(100 * threshold, color="black", linestyle="--", linewidth=1)
    axes.set_xlim(0, max([*shares, 100 * threshold]) * 1.18 or 1)
    axes.set_xlabel(f"orders whose latest status is an error, % (dashed: threshold {percent(threshold)})")
    axes.spines[["top", "right"]].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _with_verdict(
    kind: str, template: str, subject: str, package: Path | str, run: Run, files: Sequence[str]
) -> Notice:
    verdict, version = _read(package)
    carriers = by_carrier(verdict["breakdown"])
    attachments = [Attachment(name, (version / name).read_bytes()) for name in files]
    if (version / "rejects.csv").exists():
        attachments.append(attachment(version / "rejects.csv"))
    share = percent(verdict["error_share"], apart_from=verdict["threshold"])
    values = {
        "verdict": verdict,
        "share": share,
        "threshold": percent(verdict["threshold"]),
        "carriers": [{**row, "share": percent(row["share"])} for row in carriers],
        "folder": str(version),
        "recovery": recovery(run),
        "run": run,
    }
    subject = subject.format(share=share, threshold=values["threshold"], day=run.day)
    return Notice(
        kind, subject, template, values, {"carriers": chart(carriers, verdict["threshold"])}, attachments
    )


def alert(package: Path | str, run: Run) -> Notice:
    """The error share is over the threshold: numbers, chart and files."""
    subject = "Delivery errors over {threshold}: {share} on {day}"
    return _with_verdict(
        "alert", "delivery_alert", subject, package, run, ["breakdown.xlsx", "breakdown.csv"]
    )


def success(package: Path | str, run: Run) -> Notice:
    """The run is done: the same numbers, and whether it had to recover."""
    subject = "Delivery analysis done: {share} errors on {day}" + (" (recovered)" if run.tries else "")
    return _with_verdict("success", "delivery_success", subject, package, run, [])
