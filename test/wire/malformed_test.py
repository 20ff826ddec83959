"""Bytes that no driver sends: the server answers 08P01 or closes, and goes on serving others."""
import random
import socket
import struct

from target import check, run_checks

PROTOCOL = 196608


def connect(target):
    connection = socket.create_connection((target.host, target.port), timeout=20)
    return connection


def startup_packet(**parameters):
    body = struct.pack("!i", PROTOCOL)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def read_to_end(connection):
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


def still_serves(target):
    with connect(target) as connection:
        connection.sendall(struct.pack("!ii", 8, 80877103))
        assert connection.recv(1) in (b"N", b"S")


@check
def bad_startup(target):
    "start-up packets with impossible lengths and contents are refused"
    packets = [
        struct.pack("!i", 0), struct.pack("!i", -1), struct.pack("!i", 4), struct.pack("!i", 7),
        struct.pack("!i", 10001) + b"x" * 100, struct.pack("!i", 0x7fffffff),
        struct.pack("!ii", 9, PROTOCOL) + b"x",
        struct.pack("!ii", 8, 0x00020000), struct.pack("!ii", 8, 0x00040000),
        struct.pack("!ii", 8, PROTOCOL), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        startup_packet(user="admin", database="dev")[:-1] + b"x",
    ]
    for packet in packets:
        with connect(target) as connection:
            connection.sendall(packet)
            connection.shutdown(socket.SHUT_WR)
            answer = read_to_end(connection)
            assert answer == b"" or answer[:1] == b"E", (packet, answer)
    still_serves(target)


@check
def bytes_before_tls(target):
    "bytes behind an SSLRequest never pass as encrypted"
    with connect(target) as connection:
        connection.sendall(struct.pack("!ii", 8, 80877103) + startup_packet(user="admin", database="dev"))
        first = connection.recv(1)
        assert first in (b"N", b"E"), first


@check
def bad_password_messages(target):
    "malformed answers to an authentication request are refused (skipped under --trust)"
    answers = [b"p" + struct.pack("!i", 3), b"p" + struct.pack("!i", 0x7fffffff), b"p" + struct.pack("!i", 4),
               b"Q" + struct.pack("!i", 13) + b"select 1\0", b"p" + struct.pack("!i", 30000) + b"x" * 29996,
               b"p" + struct.pack("!i", 14) + b"SCRAM-SHA-256"[:10],
               b"p" + struct.pack("!i", 4 + 14 + 4) + b"SCRAM-SHA-256\0" + struct.pack("!i", -1),
               b"p" + struct.pack("!i", 4 + 14 + 4) + b"SCRAM-SHA-256\0" + struct.pack("!i", 1 << 30)]
    for answer in answers:
        with connect(target) as connection:
            connection.sendall(startup_packet(user="admin", database="dev"))
            head = connection.recv(9)
            if len(head) == 9 and struct.unpack("!i", head[5:9])[0] == 0:
                return  # trusted
            connection.sendall(answer)
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed by the server already
            rest = read_to_end(connection)
            assert b"ReadyForQuery" not in rest and b"Z\0\0\0\5" not in rest
    still_serves(target)


@check
def random_bytes(target):
    "random bytes do no harm"
    source = random.Random(20240229)
    for _ in range(200):
        with connect(target) as connection:
            try:
                if source.random() < 0.5:
                    connection.sendall(startup_packet(user="admin", database="dev"))
                connection.sendall(bytes(source.randrange(256) for _ in range(source.randrange(1, 400))))
                connection.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass
            read_to_end(connection)
    still_serves(target)


@check
def wrong_cancel_keys(target):
    "cancel requests with wrong keys are closed without an answer"
    for process_id in (0, -1, 1, 0x7fffffff):
        with connect(target) as connection:
            connection.sendall(struct.pack("!iiii", 16, 80877102, process_id, 12345))
            assert read_to_end(connection) == b""
    still_serves(target)


@check
def vanishing_clients(target):
    "clients that vanish in the middle of a message leave nothing behind"
    packet = startup_packet(user="admin", database="dev")
    for cut in range(1, len(packet)):
        connection = connect(target)
        connection.sendall(packet[:cut])
        connection.close()
    still_serves(target)


if __name__ == "__main__":
    run_checks()
