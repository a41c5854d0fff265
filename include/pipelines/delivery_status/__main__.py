import sys

from pipelines.delivery_status.command import main

sys.exit(main())
