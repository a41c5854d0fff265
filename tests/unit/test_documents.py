from tests.documents import ROOT, dead_ends


def test_only_what_leads_nowhere_is_told():
    text = "[a](README.md) [b](README.md#top) [c](gone.md) [d](https://example.org) `dags/gone.py` `dags`"
    assert dead_ends(text, ROOT) == ["gone.md", "dags/gone.py"]
