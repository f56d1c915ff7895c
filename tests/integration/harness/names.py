"""A name server (UDP) with a table of its own; names that are not in it do not exist."""

import asyncio
import socket
import struct


class NameServer(asyncio.DatagramProtocol):
    def __init__(self, thread, table):
        self.table = {name.lower(): address for name, address in table.items()}
        self.asked = []

        async def start():
            self._transport, _ = await thread.loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
            return self._transport.get_extra_info("sockname")[1]

        self._thread = thread
        self.port = thread.call(start())

    def close(self):
        self._thread.loop.call_soon_threadsafe(self._transport.close)

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, address):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
            at += 1 + data[at]
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        name, question = ".".join(labels), data[12:at + 5]
        self.asked.append(name)
        found = self.table.get(name)
        answer = b""
        if found and kind == 1:
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(found)
        flags = 0x8580 | (0 if found else 3)
        header = data[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0)
        self._transport.sendto(header + question + answer, address)
