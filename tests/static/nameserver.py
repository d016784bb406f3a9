"""A name server for tests: answers A queries from a table, over UDP and TCP, and notes what it was asked."""

import socket
import struct
import threading

NAME_ERROR = 3


def _question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    (kind,) = struct.unpack_from(">H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12 : at + 5]


class NameServer:
    """`hosts`: name -> IPv4 address. `truncate`: UDP replies ask the client to come again over TCP."""

    def __init__(self, hosts, address="127.0.0.1", truncate=False, silent=False):
        self.hosts, self.truncate, self.silent = hosts, truncate, silent
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.create_server((address, 53))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _answer(self, query, transport):
        name, kind, question = _question(query)
        self.asked.append((transport, name, kind))
        address = self.hosts.get(name)
        if transport == "udp" and self.truncate:
            return query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + question
        if address is None:
            return query[:2] + struct.pack(">HHHHH", 0x8180 | NAME_ERROR, 1, 0, 0, 0) + question
        if kind != 1:
            return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 0, 0, 0) + question
        record = struct.pack(">HHHIH", 0xC00C, 1, 1, 30, 4) + socket.inet_aton(address)
        return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + record

    def _serve_udp(self):
        while True:
            query, sender = self.udp.recvfrom(4096)
            if self.silent:
                self.asked.append(("udp", *_question(query)[:2]))
                continue
            self.udp.sendto(self._answer(query, "udp"), sender)

    def _serve_tcp(self):
        while True:
            client, _ = self.tcp.accept()
            threading.Thread(target=self._serve_client, args=(client,), daemon=True).start()

    def _serve_client(self, client):
        with client, client.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                reply = self._answer(stream.read(struct.unpack(">H", head)[0]), "tcp")
                client.sendall(struct.pack(">H", len(reply)) + reply)
