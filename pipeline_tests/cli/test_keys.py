"""``podium keys``: a key is shown once, listed without its secret, and taken back by its id."""

from pathlib import Path

from pipeline.reports.access.keys import KeyStore
from pipeline_tests.cli.command import Podium, error


def test_a_key_is_added_listed_and_revoked(podium: Podium, tmp_path: Path) -> None:
    added = podium("keys", "add", "Ann Lee", "--note", "laptop")
    text = added.out.strip()
    key = KeyStore(tmp_path / "keys").find(text)
    assert key is not None
    assert (key.player, key.note) == ("Ann Lee", "laptop")
    assert added.err == f"The key of 'Ann Lee', shown this once; to take it back: podium keys revoke {key.key_id}\n"

    listed = podium("keys", "list")
    assert listed.table[1][:3] == [key.key_id, "Ann Lee", "laptop"]
    assert listed.table[1][4] == "–"
    secret = text.split("_", 2)[2]
    (record,) = podium("keys", "list", "--json").json
    assert secret not in listed.out
    assert {**record, "created_at": ""} == {
        "key_id": key.key_id,
        "player": "Ann Lee",
        "note": "laptop",
        "created_at": "",
        "revoked_at": None,
    }

    assert podium("keys", "revoke", key.key_id).out == f"Revoked: key {key.key_id} of 'Ann Lee'\n"
    assert KeyStore(tmp_path / "keys").find(text) is None
    assert podium("keys", "list").table[1][4] != "–"


def test_a_key_as_json_has_its_text_and_not_its_hash(podium: Podium, tmp_path: Path) -> None:
    added = podium("keys", "add", "Ann", "--json").json
    assert KeyStore(tmp_path / "keys").find(added["key"]) is not None
    assert set(added) == {"key", "key_id", "player", "note", "created_at", "revoked_at"}


def test_what_cannot_be_is_one_line(podium: Podium, tmp_path: Path) -> None:
    assert error(podium("keys", "add", " Ann"), 2).startswith("' Ann' is no name of a player; give printable text")
    assert error(podium("keys", "revoke", "nope"), 2) == (
        "no key has the id 'nope'; `podium keys list` shows which there are"
    )
    (tmp_path / "keys" / "keys.json").write_text("{")
    for command in (["list"], ["add", "Ann"], ["revoke", "a"]):
        assert "keys.json is damaged" in error(podium("keys", *command), 2)
