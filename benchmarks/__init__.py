"""Every claim about speed and memory, measured against peers in one run."""
