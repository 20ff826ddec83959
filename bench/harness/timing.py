"""The clock of a client: from the text that is sent to the last row that is there."""
import time


def seconds(cursor, sql):
    begin = time.perf_counter()
    cursor.execute(sql).fetchall()
    return time.perf_counter() - begin
