"""Where a publisher may send one on to: not from the web into the network that this machine is in.

A publisher whose own address is inside, as of a mirror that an operator keeps, may send one on to where it likes.
"""

import asyncio
import ipaddress
import socket

import httpx

from pipeline.landing.fetching.errors import RedirectError, place_of


async def refuse_inside(first: httpx.URL, target: httpx.URL) -> httpx.URL:
    """The target of a redirect, where a publisher may send one on to it.

    Names are looked up. Where that fails nothing is refused: then the connection fails, or a proxy looks them up, who
    has to know what is inside.

    Raises
    ------
    RedirectError
        If it is inside, and the document's own address is not.
    """
    if target.host != first.host and await _is_inside(target) and not await _is_inside(first):
        raise RedirectError(
            place_of(first), f"it sends one on to {place_of(target)}, which is in this network and not on the web"
        )
    return target


async def _is_inside(url: httpx.URL) -> bool:
    """Whether a host has an address that is not everybody's: of this machine, a private network, a link."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not _of(str(address[0])).is_global for *_, address in found)


def _of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
