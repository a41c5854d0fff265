import sys

from pipelines.price_lists.command import main

if __name__ == "__main__":
    sys.exit(main())
