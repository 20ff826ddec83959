// count_star.cpp: the time of one statement over the simple protocol, as a C client sees it.
//
// Place: run by latency/compare.py against blueshift and PostgreSQL, one connection, one statement
// after the other. Prints the answer and the quantiles p25 p50 p75 p99 in microseconds;
// an answer that changes is an error.
// Threads: one. Why libpq: no interpreter of the client's language is in the time.
#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

// The only value of the answer; exits with a message if there is none.
std::string answer(PGconn* connection, const char* query) {
    PGresult* result = PQexec(connection, query);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        std::fprintf(stderr, "%s: %s", query, PQerrorMessage(connection));
        std::exit(1);
    }
    std::string value = PQgetvalue(result, 0, 0);
    PQclear(result);
    return value;
}

} // namespace

int main(int argument_count, char** arguments) {
    const int repeats = argument_count == 4 ? std::atoi(arguments[3]) : 0;
    if (repeats < 1) {
        std::fprintf(stderr, "usage: bench_latency CONNINFO QUERY REPEATS\n");
        return 2;
    }
    PGconn* connection = PQconnectdb(arguments[1]);
    if (PQstatus(connection) != CONNECTION_OK) {
        std::fprintf(stderr, "%s", PQerrorMessage(connection));
        return 1;
    }
    const std::string expected = answer(connection, arguments[2]);
    std::vector<double> microseconds;
    for (int index = 0; index < repeats; ++index) {
        const auto begin = std::chrono::steady_clock::now();
        const std::string value = answer(connection, arguments[2]);
        const std::chrono::duration<double, std::micro> taken =
            std::chrono::steady_clock::now() - begin;
        if (value != expected) {
            std::fprintf(stderr, "answer %s, before %s\n", value.c_str(), expected.c_str());
            return 1;
        }
        microseconds.push_back(taken.count());
    }
    PQfinish(connection);
    std::sort(microseconds.begin(), microseconds.end());
    auto quantile = [&](double part) {
        return microseconds[static_cast<size_t>(part * static_cast<double>(repeats - 1))];
    };
    std::printf("%s %.1f %.1f %.1f %.1f\n", expected.c_str(), quantile(0.25), quantile(0.5),
                quantile(0.75), quantile(0.99));
    return 0;
}
