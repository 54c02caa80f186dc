"""Attacks that reach the network, or processes that listen."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from tests.faults.attack_list import attack
from tests.faults.native import libc, must
from tests.faults.world import World

TCP = "TCP"
OTHER = "UDP, local and netlink sockets"

_INET, _UNIX, _NETLINK, _VSOCK = 2, 1, 16, 40
_STREAM, _DATAGRAM, _RAW = 1, 2, 3


def inet_address(port: int) -> bytes:
    return struct.pack("=H", _INET) + struct.pack("!H4s8x", port, bytes([127, 0, 0, 1]))


def unix_address(path: str) -> bytes:
    return struct.pack("=H", _UNIX) + os.fsencode(path)


@attack(TCP, "explained")
def connect(world: World) -> None:
    socket.create_connection(("127.0.0.1", world.tcp_port), 2).close()


@attack(TCP, "explained")
def serve(_: World) -> None:
    socket.create_server(("127.0.0.1", 0)).close()


@attack(TCP, "killed")
def connect_by_ctypes(world: World) -> None:
    address = inet_address(world.tcp_port)
    must(libc.connect(must(libc.socket(_INET, _STREAM, 0)), address, len(address)))


@attack(TCP, "killed")
def serve_by_ctypes(_: World) -> None:
    descriptor = must(libc.socket(_INET, _STREAM, 0))
    address = inet_address(0)
    must(libc.bind(descriptor, address, len(address)))
    must(libc.listen(descriptor, 1))


@attack(OTHER, "explained")
def send_udp(world: World) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", world.udp_port))


@attack(OTHER, "killed")
def send_udp_by_ctypes(world: World) -> None:
    address = inet_address(world.udp_port)
    must(libc.sendto(must(libc.socket(_INET, _DATAGRAM, 0)), b"x", 1, 0, address, len(address)))


@attack(OTHER, "killed")
def connect_local(world: World) -> None:
    """Python's event for it can't tell a lone local socket from a pair."""
    socket.socket(socket.AF_UNIX).connect(str(world.base / "stream"))


@attack(OTHER, "killed")
def connect_local_by_ctypes(world: World) -> None:
    address = unix_address(f"{world.base}/stream\0")
    must(libc.connect(must(libc.socket(_UNIX, _STREAM, 0)), address, len(address)))


@attack(OTHER, "killed")
def connect_abstract_by_ctypes(world: World) -> None:
    address = unix_address(world.abstract)
    must(libc.connect(must(libc.socket(_UNIX, _STREAM, 0)), address, len(address)))


@attack(OTHER, "killed")
def datagram_from_a_pair(world: World) -> None:
    """Either end of a pair of datagram sockets can send to any address."""
    address = unix_address(f"{world.base}/datagram\0")
    must(libc.sendto(_pair(_DATAGRAM), b"x", 1, 0, address, len(address)))


@attack(OTHER, "killed")
def message_from_a_pair(world: World) -> None:
    """The same by sendmsg, whose address a filter can't see."""
    _send_message(_pair(_DATAGRAM), unix_address(f"{world.base}/datagram\0"))


@attack(OTHER, "refused", control=False)
def message_from_a_stream(world: World) -> None:
    """Why streams may be had: when one is connected, the kernel itself refuses an address."""
    _send_message(_pair(_STREAM), unix_address(f"{world.base}/datagram\0"))


@attack(OTHER, "killed", control=False)
def connect_an_end_of_a_pair(world: World) -> None:
    first, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    address = unix_address(f"{world.base}/stream\0")
    must(libc.connect(first.fileno(), address, len(address)))


@attack(OTHER, "killed")
def netlink_by_ctypes(_: World) -> None:
    must(libc.socket(_NETLINK, _RAW, 0))


@attack(OTHER, "killed")
def vsock_by_ctypes(_: World) -> None:
    must(libc.socket(_VSOCK, _STREAM, 0))


@attack(OTHER, "killed")
def packets_by_ctypes(_: World) -> None:
    must(libc.socket(17, _RAW, 0x0300))


def _pair(kind: int) -> int:
    """One end of a pair of local sockets."""
    ends = (ctypes.c_int * 2)()
    must(libc.socketpair(_UNIX, kind, 0, ends))
    return ends[0]


def _send_message(descriptor: int, name: bytes) -> None:
    address = ctypes.create_string_buffer(name, len(name))
    text = ctypes.create_string_buffer(b"x", 1)
    vector = ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(text), 1), 16)
    # struct msghdr: name, its length, vectors, their number, control data, its length, flags
    message = struct.pack("@PIPNPNi", ctypes.addressof(address), len(name), ctypes.addressof(vector), 1, 0, 0, 0)
    must(libc.sendmsg(descriptor, ctypes.create_string_buffer(message, len(message)), 0))
