"""What the demo says when it cannot go on."""


class DemoError(Exception):
    """The environment does not allow it; the message names the thing, the place and the remedy."""
