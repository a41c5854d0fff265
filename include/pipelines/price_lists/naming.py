"""The file names of price lists: a client's code and the list's day, in letters that every disk can carry."""

import hashlib
import re
from datetime import date

from slugify import slugify

# What survives as it is on Windows, too: no small letters, because there `a.csv` and `A.csv` are one file,
# and no dots, because there `CON.a` is a device.
_PLAIN = re.compile(r"(?!.*--)[A-Z0-9](?:[A-Z0-9_-]{0,58}[A-Z0-9])?")
_LONGEST = 40


def stem(code: str, day: date) -> str:
    """The name, without its ending, of the list of client `code` for `day`.

    A code of capital letters, digits, '-' and '_' stands as it is. Any other is spelled in Latin letters and
    followed by eight digits of its checksum, so that no two codes share a name: 'ООО/Ромашка' becomes
    OOO-Romashka--5f025cfd.
    """
    return f"{plain(code)}_{day:%Y-%m-%d}"


def plain(code: str) -> str:
    """The code as it stands in file names."""
    if _PLAIN.fullmatch(code):
        return code
    checksum = hashlib.sha256(code.encode()).hexdigest()[:8]
    spelled = slugify(code, lowercase=False, max_length=_LONGEST, separator="-") or "client"
    # Two hyphens, which no plain code and no spelling has.
    return f"{spelled}--{checksum}"
