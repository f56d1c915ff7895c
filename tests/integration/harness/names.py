"""A name server (UDP) with a table of its own; names that are not in it do not exist."""

import asyncio
import socket
import struct

KINDS = {"A": 1, "AAAA": 28, "SRV": 33}


class NameServer(asyncio.DatagramProtocol):
    """
    `table`: name to an IPv4 address, or to a list of records: ("A", address), ("AAAA", address),
    ("SRV", priority, weight, port, target). set() changes it; while `silent`, nothing is answered.
    """

    def __init__(self, thread, table, ttl=60):
        self.table = {}
        self.asked = []   # the name of every question
        self.kinds = []   # its record type, beside it
        self.silent = False
        for name, records in table.items():
            self.set(name, records, ttl)

        async def start():
            self._transport, _ = await thread.loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
            return self._transport.get_extra_info("sockname")[1]

        self._thread = thread
        self.port = thread.call(start())

    def set(self, name, records, ttl=1):
        """Replaces what a name stands for; None: it does not exist any more."""
        if records is None:
            self.table.pop(name.lower(), None)
        else:
            self.table[name.lower()] = ([("A", records)] if isinstance(records, str) else list(records), ttl)

    def close(self):
        self._thread.loop.call_soon_threadsafe(self._transport.close)

    def connection_made(self, transport):
        self._transport = transport

    @staticmethod
    def _data(record):
        if record[0] == "A":
            return socket.inet_aton(record[1])
        if record[0] == "AAAA":
            return socket.inet_pton(socket.AF_INET6, record[1])
        labels = b"".join(bytes([len(label)]) + label.encode() for label in record[4].split("."))
        return struct.pack(">HHH", *record[1:4]) + labels + b"\0"

    def datagram_received(self, data, address):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
            at += 1 + data[at]
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        name, question = ".".join(labels), data[12:at + 5]
        self.asked.append(name)
        self.kinds.append(kind)
        if self.silent:
            return
        records, ttl = self.table.get(name, (None, 0))
        answers = [self._data(record) for record in records or () if KINDS[record[0]] == kind]
        answer = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(part)) + part for part in answers)
        flags = 0x8580 | (3 if records is None else 0)
        header = data[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0)
        self._transport.sendto(header + question + answer, address)
