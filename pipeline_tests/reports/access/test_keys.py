"""Keys of players: only hashes on disk, for nobody else to read, safe with several processes, never silently gone."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.reports.access.keys import KeysError, KeyStore, UnknownKeyIdError
from pipeline.reports.submissions.claims import Claims
from pipeline_tests.patience import PATIENCE

MANY = 15
ADD = f"""
import sys
from pathlib import Path
from pipeline.reports.access.keys import KeyStore
for _ in range({MANY}):
    print(KeyStore(Path(sys.argv[1])).add(sys.argv[2])[1])
"""
CLAIM = """
import sys
from pathlib import Path
from pipeline.reports.submissions.claims import Claims
for number in range(40):
    print(Claims(Path(sys.argv[1])).claim("league", f"m{number}", sys.argv[2], "k"))
"""


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


def at_once(script: str, folder: Path, *names: str) -> list[list[str]]:
    """The lines that processes print, which run at the same time."""
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(folder), name], stdout=subprocess.PIPE, text=True)
        for name in names
    ]
    printed = [process.communicate(timeout=PATIENCE)[0].split() for process in started]
    assert [process.returncode for process in started] == [0] * len(names)
    return printed


def test_a_key_is_found_by_its_text_alone(store: KeyStore) -> None:
    key, text = store.add("Ann", "laptop")
    other, _ = store.add("Ann")
    prefix, key_id, secret = text.split("_", 2)
    assert (prefix, key_id) == ("podium", key.key_id)
    assert len(secret) >= 43  # 32 bytes, six bits a character
    assert store.find(text) == key
    wrong = [text[:-1], f"{text}x", text.upper(), text.removeprefix("podium"), f"podium_{other.key_id}_{secret}", ""]
    wrong += [
        f"podium_{key.key_id}_",
        f"podium_{key.key_id}_{key.sha256}",
        "podium__",
        f"podium_nobody_{secret}",
        "ü\ud800",
    ]
    assert [store.find(one) for one in wrong] == [None] * len(wrong)


def test_of_the_secret_only_its_hash_is_on_disk(store: KeyStore) -> None:
    _, text = store.add("Ann")
    secret = text.split("_", 2)[2]
    files = [path for path in store.path.parent.rglob("*") if path.is_file()]
    assert store.path in files
    assert not any(secret.encode() in path.read_bytes() for path in files)


def test_nobody_else_may_read_it(store: KeyStore, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        store.add("Ann")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (store.path.parent, *store.path.parent.iterdir())}
    assert modes == {"keys": 0o700, "keys.json": 0o600, ".lock": 0o600}


def test_another_process_s_keys_are_seen_at_once_and_revoked_ones_too(store: KeyStore, tmp_path: Path) -> None:
    reader = KeyStore(tmp_path / "keys")
    assert reader.listed() == []
    key, text = store.add("Ann")
    assert reader.find(text) == key
    revoked = store.revoke(key.key_id)
    assert reader.find(text) is None
    assert store.revoke(key.key_id) == revoked  # keeps its time
    assert [one.key_id for one in reader.listed()] == [key.key_id]


def test_an_id_that_is_not_there_cannot_be_revoked(store: KeyStore) -> None:
    store.add("Ann")
    with pytest.raises(UnknownKeyIdError, match="no key has the id 'nope'; `podium keys list` shows"):
        store.revoke("nope")


@pytest.mark.parametrize("player", ["", " Ann", "Ann\n", "A\u200bnn", "x" * 201])
def test_a_player_is_called_as_boards_can_show_it(store: KeyStore, player: str) -> None:
    with pytest.raises(ValueError, match="is no name of a player; give printable text"):
        store.add(player)
    assert store.listed() == []


def test_processes_that_add_at_once_lose_no_key(tmp_path: Path) -> None:
    texts = at_once(ADD, tmp_path / "keys", "Ann", "Bert")
    store = KeyStore(tmp_path / "keys")
    assert len(store.listed()) == 2 * MANY
    for player, added in zip(("Ann", "Bert"), texts, strict=True):
        assert {found.player for text in added if (found := store.find(text))} == {player}


@pytest.mark.parametrize("damage", ["", "{", '{"keys": [{"key_id": "a"}]}', '{"kes": []}', "[]", "\xff"])
def test_a_damaged_file_is_no_empty_one(store: KeyStore, damage: str) -> None:
    _, text = store.add("Ann")
    store.path.write_text(damage, encoding="latin-1")
    for attempt in (store.listed, lambda: store.find(text), lambda: store.add("Bert"), lambda: store.revoke("a")):
        with pytest.raises(KeysError, match=r"keys\.json is damaged .* restore it, or move it away"):
            attempt()
    assert store.path.read_text(encoding="latin-1") == damage


@pytest.mark.parametrize("change", [{"sha256": "ü"}, {"sha256": "0" * 63}, {"player": ""}, {"key_id": "a_b"}, {"x": 1}])
def test_a_key_that_is_none_is_damage(store: KeyStore, change: dict[str, object]) -> None:
    _, text = store.add("Ann")
    (kept,) = json.loads(store.path.read_text())["keys"]
    store.path.write_text(json.dumps({"keys": [kept | change]}))
    with pytest.raises(KeysError, match="is damaged"):
        store.find(text)


def test_two_keys_of_one_id_are_damage(store: KeyStore) -> None:
    store.add("Ann")
    kept = json.loads(store.path.read_text())
    store.path.write_text(json.dumps({"keys": kept["keys"] * 2}))
    with pytest.raises(KeysError, match="two keys have the same id"):
        store.listed()


def test_of_players_who_claim_at_once_one_has_each_model(tmp_path: Path) -> None:
    answers = at_once(CLAIM, tmp_path, "Ann", "Bert")
    assert answers[0] == answers[1]
    assert set(answers[0]) <= {"Ann", "Bert"}
    claims = Claims(tmp_path)
    assert [claims.player("league", f"m{number}") for number in range(40)] == answers[0]
    assert claims.player("league", "M0") is None
    assert claims.player("cup", "m0") is None


def test_a_claim_that_is_damaged_gives_the_model_to_nobody(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    claims.claim("league", "../../m", "Ann", "k")
    (path,) = (tmp_path / "claims" / "league").iterdir()
    path.write_text("{")
    for attempt in (claims.player, lambda *of: claims.claim(*of, "Bert", "k")):
        with pytest.raises(KeysError, match=r"is damaged, so nobody knows who claimed model '\.\./\.\./m' of league"):
            attempt("league", "../../m")
