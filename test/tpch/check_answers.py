"""TPC-H: loads generated data into blueshift by COPY, runs the 22 queries, compares with DuckDB.

    check_answers.py [--sf 0.01] [--format csv|parquet] [--queries 1,3,15]

Rule: where DuckDB gives a double and blueshift a decimal, they differ by less than one unit of the
decimal's last place; doubles agree to 1e-9; all else is equal. Rows tied under ORDER BY may swap.
Exit code 1 when an answer differs or a query fails.
"""
import argparse
import decimal
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "differential"))
from blueshift_server import BlueshiftServer, ROOT  # noqa: E402

TABLES = {
    "region": "r_regionkey INTEGER NOT NULL, r_name VARCHAR(25) NOT NULL, r_comment VARCHAR(152)",
    "nation": "n_nationkey INTEGER NOT NULL, n_name VARCHAR(25) NOT NULL, n_regionkey INTEGER NOT NULL, "
              "n_comment VARCHAR(152)",
    "part": "p_partkey BIGINT NOT NULL, p_name VARCHAR(55) NOT NULL, p_mfgr VARCHAR(25) NOT NULL, "
            "p_brand VARCHAR(10) NOT NULL, p_type VARCHAR(25) NOT NULL, p_size INTEGER NOT NULL, "
            "p_container VARCHAR(10) NOT NULL, p_retailprice DECIMAL(15,2) NOT NULL, p_comment VARCHAR(23) NOT NULL",
    "supplier": "s_suppkey BIGINT NOT NULL, s_name VARCHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, "
                "s_nationkey INTEGER NOT NULL, s_phone VARCHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, "
                "s_comment VARCHAR(101) NOT NULL",
    "partsupp": "ps_partkey BIGINT NOT NULL, ps_suppkey BIGINT NOT NULL, ps_availqty INTEGER NOT NULL, "
                "ps_supplycost DECIMAL(15,2) NOT NULL, ps_comment VARCHAR(199) NOT NULL",
    "customer": "c_custkey BIGINT NOT NULL, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, "
                "c_nationkey INTEGER NOT NULL, c_phone VARCHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, "
                "c_mktsegment VARCHAR(10) NOT NULL, c_comment VARCHAR(117) NOT NULL",
    "orders": "o_orderkey BIGINT NOT NULL, o_custkey BIGINT NOT NULL, o_orderstatus VARCHAR(1) NOT NULL, "
              "o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, o_orderpriority VARCHAR(15) NOT NULL, "
              "o_clerk VARCHAR(15) NOT NULL, o_shippriority INTEGER NOT NULL, o_comment VARCHAR(79) NOT NULL",
    "lineitem": "l_orderkey BIGINT NOT NULL, l_partkey BIGINT NOT NULL, l_suppkey BIGINT NOT NULL, "
                "l_linenumber INTEGER NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, "
                "l_extendedprice DECIMAL(15,2) NOT NULL, l_discount DECIMAL(15,2) NOT NULL, "
                "l_tax DECIMAL(15,2) NOT NULL, l_returnflag VARCHAR(1) NOT NULL, l_linestatus VARCHAR(1) NOT NULL, "
                "l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL, "
                "l_shipinstruct VARCHAR(25) NOT NULL, l_shipmode VARCHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL",
}


def generate(folder, scale, file_format):
    beside = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
    program = beside if os.path.exists(beside) else "tpchgen-cli"
    subprocess.run([program, file_format, "-s", str(scale), "-o", folder], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def load(connection, duck, folder, file_format):
    for table, columns in TABLES.items():
        path = os.path.join(folder, f"{table}.{file_format}")
        connection.execute(f"CREATE TABLE {table} ({columns})")
        if file_format == "parquet":
            connection.execute(f"COPY {table} FROM '{path}' FORMAT AS PARQUET")
        else:
            with connection.cursor().copy(f"COPY {table} FROM STDIN CSV IGNOREHEADER 1") as copy:
                with open(path, "rb") as file:
                    while piece := file.read(1 << 20):
                        copy.write(piece)
        duck.execute(f"CREATE TABLE {table} ({columns})")
        duck.execute(f"INSERT INTO {table} SELECT * FROM '{path}'")
        ours = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        theirs = duck.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if ours != theirs or ours == 0:
            raise SystemExit(f"{table}: {ours} rows loaded, the files hold {theirs}")


def same_value(ours, theirs):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(ours, decimal.Decimal) and isinstance(theirs, float):
        unit = decimal.Decimal(1).scaleb(ours.as_tuple().exponent)
        return abs(ours - decimal.Decimal(theirs)) < unit
    if isinstance(ours, float) or isinstance(theirs, float):
        a, b = float(ours), float(theirs)
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-300)
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.rstrip(" ") == theirs.rstrip(" ")
    return ours == theirs


def same_row(ours, theirs):
    return len(ours) == len(theirs) and all(map(same_value, ours, theirs))


def order_columns(sql, names):
    """Which result columns the outermost ORDER BY names; none without it."""
    found = re.findall(r"order\s+by\s+((?:(?!order\s+by).)*?)(?:\blimit\b.*)?;?\s*$", sql, re.S | re.I)
    if not found:
        return []
    columns = []
    for item in found[0].split(","):
        name = item.split()[0].lower()
        if name in names:
            columns.append(names.index(name))
    return columns


def differences(ours, theirs, keys):
    """Compares group by group of rows equal under ORDER BY; inside a group the order is free."""
    if len(ours) != len(theirs):
        yield f"{len(ours)} rows, DuckDB has {len(theirs)}"
        return
    at = 0
    while at < len(theirs):
        end = at + 1
        while end < len(theirs) and all(same_value(theirs[at][k], theirs[end][k]) for k in keys):
            end += 1
        left = list(theirs[at:end])
        for row in ours[at:end]:
            match = next((i for i, other in enumerate(left) if same_row(row, other)), None)
            if match is None:
                yield f"row {row} is not among DuckDB's, such as {left[0]}"
                return
            del left[match]
        at = end


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sf", default="0.01")
    parser.add_argument("--format", default="csv", choices=["csv", "parquet"])
    parser.add_argument("--queries", default="")
    parser.add_argument("--memory", default="2GiB")
    arguments = parser.parse_args()
    wanted = [int(n) for n in arguments.queries.split(",") if n]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="blueshift-tpch-") as folder, \
            BlueshiftServer(memory=arguments.memory) as server:
        os.chmod(folder, 0o755)
        generate(folder, arguments.sf, arguments.format)
        connection = server.connect()
        duck = duckdb.connect()
        start = time.monotonic()
        load(connection, duck, folder, arguments.format)
        print(f"loaded scale factor {arguments.sf} from {arguments.format} in {time.monotonic() - start:.1f} s")
        for path in sorted(glob.glob(os.path.join(ROOT, "test", "sql", "tpch", "q*.sql"))):
            number = int(re.search(r"q(\d+)", os.path.basename(path)).group(1))
            if wanted and number not in wanted:
                continue
            sql = open(path).read()
            try:
                start = time.monotonic()
                cursor = connection.execute(sql)
                ours = cursor.fetchall()
                seconds = time.monotonic() - start
                names = [column.name.lower() for column in cursor.description]
                theirs = duck.execute(sql).fetchall()
                wrong = next(differences(ours, theirs, order_columns(sql, names)), None)
            except Exception as error:
                wrong, seconds, ours = f"{type(error).__name__}: {error}", 0.0, []
            if wrong is None:
                print(f"ok    Q{number:02} {len(ours)} rows, {seconds * 1000:.1f} ms", flush=True)
            else:
                failed += 1
                print(f"FAIL  Q{number:02} {wrong}", flush=True)
    print(f"{failed} answers differ" if failed else "all answers agree with DuckDB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
