"""The scripts of the labs, as Streamlit loads them."""

import re
from collections import Counter

import pytest

from pages.widgets.kernel_lab import mount

NAMED = re.compile(r"^(?:export default )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("lab", mount.LABS)
def test_no_two_files_of_a_lab_give_the_same_name(lab):
    """A browser refuses a module with a name that stands twice; where a lab is tested alone it is no module."""
    names = Counter(NAMED.findall(mount.script(lab)))
    assert "element" in names
    assert [name for name, count in names.items() if count > 1] == []
