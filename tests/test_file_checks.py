"""Whether something can be written is known before the work, and no input is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from melon.errors import ReplacedInput, UnwritableFile
from melon.outputs import check_file, check_not_read


def test_a_link_is_asked_where_it_leads_to(tmp_path: Path) -> None:
    link, dangling = tmp_path / "link.json", tmp_path / "dangling"
    link.symlink_to(tmp_path / "there" / "out.json")
    dangling.symlink_to(tmp_path / "absent")
    for path in (link, dangling / "out.json"):
        with pytest.raises(UnwritableFile, match="cannot be written: no such file") as refusal:
            check_file(path)
        assert refusal.value.where == str(path)
    (tmp_path / "there").mkdir()
    check_file(link)
    check_file(tmp_path / "new" / "out.json")
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize(
    "spelled", ["mine.json", "./here/../mine.json", "link.json", "linked/mine.json", "."]
)
def test_what_is_read_is_replaced_under_no_spelling(tmp_path: Path, spelled: str) -> None:
    for name in ("mine.json", "other.json"):
        (tmp_path / name).touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "link.json").symlink_to("mine.json")
    (tmp_path / "linked").symlink_to(tmp_path)
    mine = tmp_path / "mine.json"
    with pytest.raises(ReplacedInput, match="would be replaced") as refusal:
        check_not_read(tmp_path / spelled, [tmp_path / "not there.json", mine])
    assert refusal.value.where == str(mine)
    check_not_read(tmp_path / "other.json", [tmp_path / spelled])
    check_not_read(tmp_path / "not there.json", [tmp_path / "not there.json"])
