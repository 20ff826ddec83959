"""Mistakes in statements, messages, passwords and the command line."""
import socket
import struct
import subprocess

import psycopg

from mistakes import mistake, refused


@mistake
def wrong_statements(scene):
    "statements that cannot be are refused, in a block too"
    cases = [
        ("42601", "SELEC 1"), ("42601", "SELECT 1 FROM"), ("42601", "SELECT 'open"), ("42601", "SELECT (1"),
        ("42P01", "SELECT * FROM nowhere"), ("42703", "SELECT nothing FROM earlier"),
        ("42883", "SELECT no_such_function(1)"), ("22012", "SELECT id / (id - id) FROM earlier"),
        ("22P02", "INSERT INTO earlier VALUES ('x', '', NULL)"), ("23502", "INSERT INTO earlier VALUES (NULL, '', NULL)"),
        ("22001", f"INSERT INTO earlier VALUES (1, '{'x' * 41}', NULL)"),
        ("22003", "INSERT INTO earlier SELECT 1000 * (id + 3000000) FROM earlier"),
        ("42P07", "CREATE TABLE earlier (a INTEGER)"),
    ]
    for sqlstate, sql in cases:
        refused(sqlstate, lambda text=sql: scene.execute(text), hint=False)
        scene.execute("BEGIN")
        scene.execute("DELETE FROM earlier WHERE id > 100")
        refused(sqlstate, lambda text=sql: scene.execute(text), hint=False)
        refused("25P02", lambda: scene.execute("SELECT 1"), hint=False)
        scene.execute("ROLLBACK")


@mistake
def nested_parentheses(scene):
    "100,000 nested parentheses, CASEs, subqueries, signs and calls are one 54001 each"
    deep = 100_000
    texts = ["SELECT " + "(" * deep + "1" + ")" * deep,
             "SELECT * FROM " + "(SELECT * FROM " * deep + "earlier" + ") a" * deep,
             "SELECT " + "CASE WHEN true THEN " * deep + "1" + " END" * deep,
             "SELECT " + "- " * deep + "1",
             "SELECT " + "abs(" * deep + "1" + ")" * deep]
    for text in texts:
        refused("54001", lambda sql=text: scene.execute(sql))
    # Left to right these nest too, without a parenthesis; they run or are refused, never more.
    for text in ["SELECT 1" + " + 1" * deep, "SELECT true" + " AND true" * deep, "SELECT " + "NOT " * deep + "true",
                 "SELECT 1" + " UNION ALL SELECT 1" * 5000]:
        try:
            scene.execute(text).fetchall()
        except psycopg.Error as error:
            assert error.sqlstate == "54001", error


def startup(user="admin", database="dev"):
    body = struct.pack("!i", 196608) + f"user\0{user}\0database\0{database}\0\0".encode()
    return struct.pack("!i", len(body) + 4) + body


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def answer_to(server, data):
    """Logs in, sends the bytes and reads all until the server closes; messages as (type, body)."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(startup())
        received = b""
        while not received.endswith(b"Z\0\0\0\5I"):
            piece = connection.recv(65536)
            assert piece, "no login"
            received += piece
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            received += piece
    messages, at = [], 0
    while at < len(received):
        length = struct.unpack_from("!i", received, at + 1)[0]
        messages.append((received[at:at + 1], received[at + 5:at + 1 + length]))
        at += 1 + length
    return messages


def fields_of(body):
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


@mistake
def malformed_messages(scene):
    "malformed protocol messages get one FATAL 08P01 and end that session only"
    bodies = {
        "unknown type": b"~" + struct.pack("!i", 4),
        "negative length": b"Q" + struct.pack("!i", -5),
        "length too small": b"Q" + struct.pack("!i", 3),
        "text without end": message(b"Q", b"SELECT 1"),
        "Bind cut short": message(b"B", b"\0\0\0\7"),
        "Bind counts lie": message(b"B", b"\0\0" + struct.pack("!hhh", 0, 32767, 0)),
        "Parse cut short": message(b"P", b"s\0SELECT 1\0"),
        "Execute cut short": message(b"E", b"\0\0"),
        "Describe of nothing known": message(b"D", b"X\0"),
        "bytes behind Sync": message(b"S", b"more"),
    }
    for name, data in bodies.items():
        messages = answer_to(scene.server, data)
        errors = [fields_of(body) for kind, body in messages if kind == b"E"]
        assert len(errors) == 1, (name, messages)
        assert errors[0]["C"] == "08P01", (name, errors)
        assert errors[0]["S"] == "FATAL", (name, errors)
        assert errors[0]["M"], name


@mistake
def statement_in_flight(scene):
    "a client that vanishes within COPY leaves nothing"
    before = scene.rows("SELECT count(*) FROM earlier")
    with socket.create_connection(("127.0.0.1", scene.server.port), timeout=30) as connection:
        connection.sendall(startup() + message(b"Q", b"COPY earlier FROM STDIN CSV\0"))
        received = b""
        while b"G\0\0\0" not in received:
            piece = connection.recv(65536)
            assert piece, received
            received += piece
        connection.sendall(message(b"d", b"1,x,2024-01-01\n" * 1000))
        # No CopyDone: the connection ends in the middle.
    assert scene.rows("SELECT count(*) FROM earlier") == before


@mistake
def wrong_names(scene):
    "an unknown database and an unknown user are refused by name"
    for keywords, sqlstate, name in ((dict(dbname="nosuch"), "3D000", "nosuch"), (dict(user="nobody"), "28000", "nobody")):
        try:
            scene.server.connect(**keywords).close()
        except psycopg.OperationalError as error:
            assert name in str(error), error
            # libpq keeps no SQLSTATE of a failed login: ask the wire.
            found = login_error(scene.server, startup(keywords.get("user", "admin"), keywords.get("dbname", "dev")))
            assert found["C"] in (sqlstate, "28P01"), found
        else:
            raise AssertionError(f"{keywords} may connect")


def login_error(server, packet, password=None):
    """Fields of the ErrorResponse to a login with a clear-text or no password message."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(packet)
        received = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
            if received[:1] == b"R" and password is not None:
                connection.sendall(message(b"p", password))
                password = None
                received = b""
    assert received[:1] == b"E", received
    return fields_of(received[5:])


def wrong_password(server):
    "a wrong password is 28P01, and the right one still works"
    for password in ("wrong", "x" * 5000, "\u00e4\u00f6"):
        try:
            server.connect(password=password).close()
        except psycopg.OperationalError as error:
            assert "password authentication failed" in str(error), error
        else:
            raise AssertionError("a wrong password was taken")
    found = login_error(server, startup(), b"SCRAM-SHA-256\0" + struct.pack("!i", 5) + b"n,,n=")
    assert found["C"] in ("28P01", "08P01"), found
    try:
        server.connect(user="stranger").close()
        raise AssertionError("an unknown user was taken")
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error), error
    with server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def start_refused(command, *named):
    """A second process must end with exit code 1 and say why on standard error."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1, f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}"
    assert ended.stderr.startswith("blueshift: "), ended.stderr
    for text in named:
        assert text in ended.stderr, f"{text!r} is not in: {ended.stderr}"


@mistake
def busy_port(scene):
    "a busy port: exit code 1, 55006, the port and the remedy"
    command = scene.server.command(scene.server.port)
    command[command.index("--data") + 1] = scene.folder + "/other-place"
    start_refused(command, "55006", str(scene.server.port), "--port")


@mistake
def place_in_use(scene):
    "a second server on one place: exit code 1, 55006, the place, the address of the first, the remedy"
    start_refused(scene.server.command(0), "55006", scene.server.place, f"127.0.0.1:{scene.server.port}", "stop it")
