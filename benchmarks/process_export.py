"""One process without an engine, as a Kubernetes Job runs it: 10,000 rows to one CSV file. Argument: FILE."""

import csv
import sys
from pathlib import Path


def main() -> None:
    with Path(sys.argv[1]).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for number in range(10_000):
            writer.writerow((f"{number:06}", f"Product {number}", "Category", "pcs", number / 100, "base", 5))


if __name__ == "__main__":
    main()
