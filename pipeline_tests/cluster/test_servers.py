"""The servers of a cluster are reached from this machine only, with a password, and leave nothing behind."""

import socket
from pathlib import Path

import pytest

from pipeline.cluster import ServerError, missing_servers, postgres, redis, servers
from pipeline.warehouse.advisory import driver


@pytest.fixture(autouse=True)
def _installed() -> None:
    if missing := missing_servers():
        pytest.skip(f"servers not installed: {missing}")


def listening() -> set[str]:
    """Addresses that anything on this machine listens on, as the kernel writes them, with the port."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return {line.split()[1] for line in lines if line.split()[3] == "0A"}


def test_postgres_listens_on_loopback_and_asks_for_its_password(postgres_server: str) -> None:
    of = dict(word.split("=") for word in postgres_server.split())
    port = f"{int(of['port']):04X}"
    assert {address for address in listening() if address.endswith(f":{port}")} == {f"0100007F:{port}"}
    with pytest.raises(driver().OperationalError, match="password"):
        driver().connect(postgres_server.replace(of["password"], "another"))


def test_redis_is_gone_with_its_block() -> None:
    with redis() as address:
        port = int(address.rpartition(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as asked:
            asked.sendall(b"PING\r\n")
            assert b"NOAUTH" in asked.recv(100)
    with socket.socket() as asked:
        assert asked.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_that_does_not_start_says_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg2")
    monkeypatch.setattr(servers, "_SETTINGS", {"listen_addresses": "127.0.0.1", "no_such_setting": "1"})
    with pytest.raises(ServerError, match="no_such_setting"), postgres():
        pass


def test_a_server_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_redis", lambda: None)
    assert missing_servers() == "apt-get install redis-server"
    with pytest.raises(ServerError, match="apt-get install redis-server"), redis():
        pass
