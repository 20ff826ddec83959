#!/usr/bin/env bash
# Loads the flights into a fresh place, asks eight questions, leaves a server on port 5439. With no
# terminal attached it stops the server and exits.
set -euo pipefail
cd "$(dirname "$0")/.."
blueshift=build/release/blueshift
files=$PWD/build/demo/files
place=build/demo/place
port=${PORT:-5439}

.venv/bin/python demo/prepare.py "$files"
rm -rf "$place"
mkdir -p "$place"
"$blueshift" serve --data "$place" --port "$port" --trust >build/demo/server.log 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; }
trap stop EXIT
for _ in $(seq 100); do
    "$blueshift" sql "host=127.0.0.1 port=$port user=admin dbname=dev" -c 'SELECT 1' >/dev/null 2>&1 && break
    kill -0 "$server" 2>/dev/null || { cat build/demo/server.log; exit 1; }
    sleep 0.1
done
sql() { "$blueshift" sql "host=127.0.0.1 port=$port user=admin dbname=dev" "$@"; }

sql -f demo/tables.sql >/dev/null
for table in airlines airports planes flights; do
    sql -c "COPY $table FROM '$files/$table.csv.gz' CSV GZIP IGNOREHEADER 1 NULL AS 'NA' TIMEFORMAT 'auto'"
done
sql -c "COPY weather FROM '$files/weather.parquet' FORMAT AS PARQUET"
for question in demo/questions/*.sql; do
    echo
    head -n 1 "$question"
    sql -f "$question"
done

cat <<TEXT

The server is on port $port (user admin, no password on this machine):
  psql      psql -h 127.0.0.1 -p $port -U admin dev
  shell     $blueshift sql "host=127.0.0.1 port=$port user=admin dbname=dev"
  JDBC      jdbc:postgresql://127.0.0.1:$port/dev?user=admin
  Python    psycopg.connect("host=127.0.0.1 port=$port user=admin dbname=dev")
TEXT
if [ -t 0 ] && [ -t 1 ]; then
    echo "Ctrl-C stops it."
    wait "$server"
fi
