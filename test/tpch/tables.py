"""The eight TPC-H tables: their columns, generated files, and the 22 queries of test/sql/tpch."""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

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
# As in bench/tpch/schema.sql; customer has no key, so that its joins move rows.
STYLES = {"region": "DISTSTYLE ALL", "nation": "DISTSTYLE ALL", "supplier": "DISTSTYLE ALL",
          "part": "DISTKEY (p_partkey)", "partsupp": "DISTKEY (ps_partkey)", "customer": "DISTSTYLE EVEN",
          "orders": "DISTKEY (o_orderkey)", "lineitem": "DISTKEY (l_orderkey)"}


def generate(folder, scale, file_format):
    beside = os.path.join(os.path.dirname(sys.executable), "tpchgen-cli")
    program = beside if os.path.exists(beside) else "tpchgen-cli"
    subprocess.run([program, file_format, "-s", str(scale), "-o", folder], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def load_duckdb(duck, folder, file_format):
    for table, columns in TABLES.items():
        duck.execute(f"CREATE TABLE {table} ({columns})")
        duck.execute(f"INSERT INTO {table} SELECT * FROM '{os.path.join(folder, f'{table}.{file_format}')}'")


def queries():
    """(number, SQL) of each."""
    for path in sorted(glob.glob(os.path.join(ROOT, "test", "sql", "tpch", "q*.sql"))):
        yield int(re.search(r"q(\d+)", os.path.basename(path)).group(1)), open(path).read()
