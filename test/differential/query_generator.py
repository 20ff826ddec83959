"""Random tables and queries in the SQL that blueshift, PostgreSQL and DuckDB share.

Queries are deterministic as sets of rows: windows order by every column in scope, LIMIT stands only
behind a total order. Values are chosen so that the three agree on arithmetic: integers are small,
doubles are quarters, no text ends in a blank, nothing divides by zero except where NULLIF guards it.
Types: h SMALLINT, i INTEGER, b BIGINT, d DECIMAL, f DOUBLE, s VARCHAR, t DATE, m TIMESTAMP, o BOOLEAN.
"""

NAMES = {"h": "SMALLINT", "i": "INTEGER", "b": "BIGINT", "d": "DECIMAL(10,2)", "f": "DOUBLE PRECISION",
         "s": "VARCHAR(12)", "t": "DATE", "m": "TIMESTAMP", "o": "BOOLEAN"}
WORDS = ["", "a", "b", "ab", "abc", "B", "zeta", "x-y", "10", "9", "a%", "a_b", "longer-text"]
NUMBERS = "hibdf"


class Select:
    """One query block; `text()` writes it. Parts may be dropped to make it smaller."""

    def __init__(self):
        self.with_clause = ""
        self.distinct = False
        self.items = []      # (expression, type)
        self.source = ""
        self.where = []
        self.group = ""
        self.having = ""
        self.set_arm = ""
        self.limit = ""
        self.ordered = False

    def text(self):
        names = ", ".join(f"{expression} AS c{n}" for n, (expression, _) in enumerate(self.items))
        text = f"{self.with_clause}SELECT {'DISTINCT ' if self.distinct else ''}{names} FROM {self.source}"
        if self.where:
            text += " WHERE " + " AND ".join(self.where)
        text += self.group + self.having + self.set_arm
        if self.ordered:
            text += " ORDER BY " + ", ".join(f"{n + 1} NULLS LAST" for n in range(len(self.items)))
        return text + self.limit

    def smaller(self):
        """Copies with one part less."""
        def copy(**changes):
            made = Select()
            made.__dict__.update(self.__dict__)
            made.__dict__.update(changes)
            return made
        for n in range(len(self.where)):
            yield copy(where=self.where[:n] + self.where[n + 1:])
        if self.having:
            yield copy(having="")
        if self.limit:
            yield copy(limit="")
        if self.set_arm:
            yield copy(set_arm="")
        if self.distinct:
            yield copy(distinct=False)
        if len(self.items) > 1 and not self.set_arm and not self.group:
            for n in range(len(self.items)):
                yield copy(items=self.items[:n] + self.items[n + 1:])


class QueryGenerator:
    def __init__(self, random):
        self.random = random
        self.tables = {}     # name -> [(column, type)]
        self.aliases = 0

    # ---- Tables

    def schema(self):
        """Statements that make and fill the tables."""
        r = self.random
        statements = []
        for n in range(r.randint(3, 5)):
            columns = [("k", "i")] + [(f"{letter}{at}", letter) for at, letter in
                                      enumerate(r.choices("hibdfstmo", k=r.randint(3, 7)))]
            name = f"t{n}"
            self.tables[name] = columns
            statements.append(f"CREATE TABLE {name} (" + ", ".join(f"{c} {NAMES[t]}" for c, t in columns) + ")")
            count = r.choice([0, 1, 5, 30, 30, 60, 60])
            rows = ["(" + ", ".join(self.value(t) for _, t in columns) + ")" for _ in range(count)]
            if rows:
                statements.append(f"INSERT INTO {name} VALUES " + ", ".join(rows))
        return statements

    def value(self, kind, nulls=0.15):
        r = self.random
        if r.random() < nulls:
            return "NULL"
        if kind in "hib":
            return str(r.choice([0, 1, 2, 3, 5, -1, -7, r.randint(-50, 50)]))
        if kind == "d":
            return f"{r.choice([0, 1, 2.5, -2.5, r.randint(-5000, 5000) / 100]):.2f}"
        if kind == "f":
            return f"{r.randint(-40, 40) / 4}"
        if kind == "s":
            return "'" + r.choice(WORDS) + "'"
        if kind == "t":
            return f"DATE '2024-{r.choice([1, 2, 12]):02}-{r.randint(1, 29):02}'"
        if kind == "m":
            return f"TIMESTAMP '2024-{r.choice([1, 2, 12]):02}-{r.randint(1, 29):02} {r.choice([0, 12, 23]):02}:{r.choice([0, 59]):02}:00'"
        return r.choice(["TRUE", "FALSE"])

    # ---- Expressions. A scope is a list of (reference, type).

    def literal(self, kind):
        text = self.value(kind, 0.05)
        return f"CAST({text} AS {NAMES[kind]})" if text == "NULL" or kind in "hbdf" else text

    def column(self, kind, scope):
        fitting = [reference for reference, t in scope if t == kind]
        if not fitting:
            return self.literal(kind)
        return self.random.choice(fitting)

    def expression(self, kind, scope, depth):
        r = self.random
        if depth <= 0 or r.random() < 0.3:
            return self.column(kind, scope) if r.random() < 0.8 else self.literal(kind)
        if depth > 1 and r.random() < 0.06 and kind in "bidfstm":
            text, found = self.scalar_subquery(scope)
            if found == kind:
                return text
        general = [
            lambda: f"COALESCE({self.expression(kind, scope, depth - 1)}, {self.expression(kind, scope, depth - 1)})",
            lambda: f"CASE WHEN {self.condition(scope, depth - 1)} THEN {self.expression(kind, scope, depth - 1)} "
                    f"ELSE {self.expression(kind, scope, depth - 1)} END",
            lambda: f"NULLIF({self.expression(kind, scope, depth - 1)}, {self.literal(kind)})",
        ]
        return r.choice(general + self.special(kind, scope, depth - 1))()

    def special(self, kind, scope, depth):
        e = lambda k: self.expression(k, scope, depth)
        r = self.random
        if kind == "h":
            return [lambda: self.column("h", scope)]
        if kind == "i":
            return [lambda: f"({e('i')} {r.choice('+-')} {e('i')})", lambda: f"({self.column('i', scope)} * {self.literal('i')})",
                    lambda: f"({e('i')} / NULLIF({e('i')}, 0))", lambda: f"({e('i')} % NULLIF({self.literal('i')}, 0))",
                    lambda: f"length({e('s')})", lambda: f"abs({e('i')})", lambda: f"CAST({e('h')} AS INTEGER)",
                    lambda: f"({e('t')} - {e('t')})", lambda: f"CAST(EXTRACT(day FROM {e('t')}) AS INTEGER)",
                    lambda: f"position('b' IN {e('s')})", lambda: f"(- {e('i')})"]
        if kind == "b":
            return [lambda: f"CAST({e('i')} AS BIGINT)", lambda: f"({e('b')} + {e('i')})", lambda: f"({self.column('b', scope)} * {self.column('i', scope)})"]
        if kind == "d":
            return [lambda: f"({e('d')} {r.choice('+-')} {e('d')})", lambda: f"CAST({e('i')} AS DECIMAL(10,2))", lambda: f"abs({e('d')})",
                    lambda: f"({self.column('d', scope)} * {self.literal('i')})", lambda: f"({self.column('d', scope)} * {self.column('d', scope)})"]
        if kind == "f":
            return [lambda: f"({e('f')} {r.choice('+-')} {e('f')})", lambda: f"CAST({e('i')} AS DOUBLE PRECISION)",
                    lambda: f"({self.column('f', scope)} * {self.literal('f')})", lambda: f"abs({e('f')})", lambda: f"floor({e('f')})"]
        if kind == "s":
            return [lambda: f"upper({e('s')})", lambda: f"lower({e('s')})", lambda: f"({self.column('s', scope)} || {self.literal('s')})",
                    lambda: f"substring({e('s')}, {r.randint(1, 3)}, {r.randint(0, 4)})", lambda: f"replace({e('s')}, 'a', 'xx')",
                    lambda: f"CAST({e('i')} AS VARCHAR(20))", lambda: f"CAST({e('t')} AS VARCHAR(20))", lambda: f"trim({e('s')})",
                    lambda: f"CASE WHEN {e('o')} THEN 'yes' ELSE 'no' END"]
        if kind == "t":
            return [lambda: f"({e('t')} + {r.randint(-40, 40)})", lambda: f"CAST({e('m')} AS DATE)", lambda: f"greatest({e('t')}, {e('t')})"]
        if kind == "m":
            return [lambda: f"CAST({e('t')} AS TIMESTAMP)", lambda: f"date_trunc('{r.choice(['month', 'day', 'year', 'hour'])}', {e('m')})",
                    lambda: f"({e('m')} + INTERVAL '{r.randint(1, 50)} hours')"]
        return [lambda: f"({self.condition(scope, depth)})"]

    def condition(self, scope, depth, subqueries=False):
        r = self.random
        kind = r.choice([t for _, t in scope] or ["i"])
        e = lambda k: self.expression(k, scope, max(depth - 1, 0))
        forms = [
            lambda: f"{e(kind)} {r.choice(['=', '<>', '<', '<=', '>', '>='])} {e(kind)}",
            lambda: f"{e(kind)} {r.choice(['=', '<>', '<', '>'])} {self.literal(kind)}",
            lambda: f"{e(kind)} IS {r.choice(['', 'NOT '])}NULL",
            lambda: f"{e(kind)} {r.choice(['', 'NOT '])}IN ({self.literal(kind)}, {self.literal(kind)}, {self.literal(kind)})",
            lambda: f"{e(kind)} BETWEEN {self.literal(kind)} AND {self.literal(kind)}",
            lambda: f"{self.column('s', scope)} {r.choice(['', 'NOT '])}LIKE '{r.choice(['a%', '%b', '%a%', '_', '', '%', 'a_b'])}'",
            lambda: f"{e(r.choice(NUMBERS))} {r.choice(['<', '=', '>='])} {e(r.choice(NUMBERS))}",
            lambda: f"{e(kind)} IS {r.choice(['', 'NOT '])}DISTINCT FROM {e(kind)}",
        ]
        if depth > 0:
            forms += [
                lambda: f"({self.condition(scope, depth - 1, subqueries)} {r.choice(['AND', 'OR'])} {self.condition(scope, depth - 1, subqueries)})",
                lambda: f"NOT ({self.condition(scope, depth - 1, subqueries)})",
                lambda: f"({self.condition(scope, depth - 1)}) IS {r.choice(['TRUE', 'NOT TRUE', 'FALSE'])}",
            ]
        if subqueries:
            forms += [lambda: self.subquery_condition(scope)] * 6
        return r.choice(forms)()

    # ---- Subqueries

    def table_scope(self):
        name = self.random.choice(list(self.tables))
        self.aliases += 1
        alias = f"q{self.aliases}"
        return f"{name} {alias}", [(f"{alias}.{c}", t) for c, t in self.tables[name]]

    def correlation(self, inner, outer):
        """A WHERE of a subquery, usually tied to the outer row."""
        r = self.random
        terms = []
        if r.random() < 0.8:
            kind = r.choice([t for _, t in inner if any(t == o for _, o in outer)] or ["i"])
            operator = r.choice(["=", "=", "=", "<", "<>"])
            terms.append(f"{self.column(kind, inner)} {operator} {self.column(kind, outer)}")
        if r.random() < 0.4:
            terms.append(self.condition(inner, 1))
        if r.random() < 0.15:
            terms.append(self.subquery_condition(inner))
        return (" WHERE " + " AND ".join(terms)) if terms else ""

    def subquery_condition(self, scope):
        r = self.random
        source, inner = self.table_scope()
        where = self.correlation(inner, scope)
        kind = r.choice([t for _, t in inner])
        form = r.randint(0, 4)
        if form == 0:
            return f"{r.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM {source}{where})"
        if form == 1:
            return f"{self.expression(kind, scope, 1)} {r.choice(['', 'NOT '])}IN (SELECT {self.column(kind, inner)} FROM {source}{where})"
        if form == 2:
            kind = kind if kind != "o" else "i"
            return (f"{self.expression(kind, scope, 1)} {r.choice(['=', '<', '>', '<>'])} "
                    f"(SELECT {r.choice(['min', 'max'])}({self.column(kind, inner)}) FROM {source}{where})")
        if form == 3:
            return f"(SELECT count({r.choice(['*', self.column(kind, inner)])}) FROM {source}{where}) {r.choice(['=', '>', '<'])} {r.randint(0, 3)}"
        return (f"{self.expression(kind, scope, 1)} {r.choice(['=', '<', '>=', '<>'])} {r.choice(['ANY', 'ALL'])} "
                f"(SELECT {self.column(kind, inner)} FROM {source}{where})")

    def scalar_subquery(self, scope):
        """Returns (expression, type)."""
        r = self.random
        source, inner = self.table_scope()
        where = self.correlation(inner, scope)
        kind = r.choice([t for _, t in inner if t != "o"])
        form = r.randint(0, 3)
        if form == 0:
            return f"(SELECT count(*) FROM {source}{where})", "b"
        if form == 1 and kind in "ibdf":
            return f"(SELECT sum({self.column(kind, inner)}) FROM {source}{where})", kind
        if form == 2:
            column = self.column(kind, inner)
            return f"(SELECT {column} FROM {source}{where} ORDER BY {column} NULLS LAST LIMIT 1)", kind
        return f"(SELECT {r.choice(['min', 'max'])}({self.column(kind, inner)}) FROM {source}{where})", kind

    # ---- FROM

    def relation(self, depth, commons):
        """Returns (text, scope)."""
        r = self.random
        self.aliases += 1
        alias = f"r{self.aliases}"
        choice = r.random()
        if commons and choice < 0.3:
            name, columns = r.choice(commons)
            return f"{name} {alias}", [(f"{alias}.{c}", t) for c, t in columns]
        if depth > 0 and choice < 0.5:
            inner = self.select(depth - 1, [])
            inner.set_arm, inner.ordered, inner.limit = "", False, ""
            return f"({inner.text()}) {alias}", [(f"{alias}.c{n}", t) for n, (_, t) in enumerate(inner.items)]
        name = r.choice(list(self.tables))
        return f"{name} {alias}", [(f"{alias}.{c}", t) for c, t in self.tables[name]]

    def source(self, depth, commons):
        r = self.random
        text, scope = self.relation(depth, commons)
        for _ in range(r.choice([0, 0, 1, 1, 1, 2])):
            other, more = self.relation(depth, commons)
            both = [t for _, t in scope if any(t == o for _, o in more)]
            kind = r.choice(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
            if kind == "CROSS JOIN" and len(scope) > 9:
                kind = "JOIN"
            if kind == "CROSS JOIN":
                text = f"{text} CROSS JOIN {other}"
            else:
                shared = r.choice(both or ["i"])
                terms = []
                if both or kind == "FULL JOIN":
                    terms.append(f"{self.column(shared, scope)} = {self.column(shared, more)}")
                if not terms or r.random() < 0.3:
                    terms.append(self.condition(scope + more, 1))
                if kind != "FULL JOIN" and r.random() < 0.1:
                    terms.append(self.subquery_condition(r.choice([scope, more])))
                text = f"{text} {kind} {other} ON {' AND '.join(terms)}"
            scope = scope + more
        return text, scope

    # ---- SELECT

    def aggregate(self, scope):
        r = self.random
        kind = r.choice([t for _, t in scope])
        argument = self.expression(kind, scope, 1)
        distinct = "DISTINCT " if r.random() < 0.2 else ""
        form = r.randint(0, 5)
        extra = f" FILTER (WHERE {self.condition(scope, 1)})" if r.random() < 0.15 else ""
        if form == 0:
            return f"count(*){extra}", "b"
        if form == 1 or kind in "o":
            return f"count({distinct}{argument}){extra}", "b"
        if form == 2 and kind in "ibdf":
            return f"sum({distinct}{argument}){extra}", kind if kind in "df" else "b"
        if form == 3 and kind in "ibdf":
            return f"avg({distinct}CAST({argument} AS DOUBLE PRECISION)){extra}", "f"
        return f"{r.choice(['min', 'max'])}({argument}){extra}", kind

    def window(self, scope):
        r = self.random
        everything = ", ".join(reference for reference, _ in scope)
        partition = f"PARTITION BY {self.column(r.choice([t for _, t in scope]), scope)} " if r.random() < 0.6 else ""
        kind = r.choice([t for _, t in scope if t != "o"] or ["i"])
        column = self.column(kind, scope)
        form = r.randint(0, 6)
        if form == 0:
            return f"row_number() OVER ({partition}ORDER BY {everything})", "b"
        if form == 1:
            return f"{r.choice(['rank', 'dense_rank'])}() OVER ({partition}ORDER BY {column}{r.choice(['', ' DESC'])} NULLS {r.choice(['FIRST', 'LAST'])})", "b"
        if form == 2:
            return f"{r.choice(['lag', 'lead'])}({column}, {r.randint(1, 3)}) OVER ({partition}ORDER BY {everything})", kind
        if form == 3:
            frame = r.choice(["UNBOUNDED PRECEDING", "BETWEEN 2 PRECEDING AND 1 FOLLOWING", "BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                              "BETWEEN 3 PRECEDING AND 1 PRECEDING"])
            return f"{r.choice(['min', 'max', 'count'])}({self.column('i', scope)}) OVER ({partition}ORDER BY {everything} ROWS {frame})", "b"
        if form == 4:
            return f"sum({self.column('i', scope)}) OVER ({partition}ORDER BY {everything} ROWS UNBOUNDED PRECEDING)", "b"
        if form == 5:
            return f"ntile({r.randint(1, 4)}) OVER ({partition}ORDER BY {everything})", "b"
        function = r.choice(["count", "max", "min"])
        return f"{function}({column}) OVER ({partition.strip()})", "b" if function == "count" else kind

    def items(self, scope, depth):
        r = self.random
        made = []
        for _ in range(r.randint(1, 4)):
            chance = r.random()
            if chance < 0.15 and depth > 0:
                made.append(self.scalar_subquery(scope))
            elif chance < 0.25:
                made.append((f"({self.condition(scope, 1, subqueries=depth > 0)})", "o"))
            else:
                kind = r.choice([t for _, t in scope])
                made.append((self.expression(kind, scope, 2), kind))
        return made

    def select(self, depth, commons):
        r = self.random
        made = Select()
        made.source, scope = self.source(depth, commons)
        if r.random() < 0.6:
            made.where = [self.condition(scope, 1, subqueries=depth > 0) for _ in range(r.randint(1, 2))]
        shape = r.random()
        if shape < 0.3:
            kinds = [r.choice([t for _, t in scope]) for _ in range(r.randint(0, 2))]
            keys = [(self.column(k, scope) if r.random() < 0.7 else self.expression(k, scope, 1), k) for k in kinds]
            keys = [(text, k) for text, k in keys if any(reference in text for reference, _ in scope)]
            made.items = keys + [self.aggregate(scope) for _ in range(r.randint(1, 3))]
            if keys:
                names = ", ".join(text for text, _ in keys)
                made.group = f" GROUP BY ROLLUP ({names})" if r.random() < 0.15 else f" GROUP BY {names}"
                if r.random() < 0.3:
                    made.having = f" HAVING count(*) {r.choice(['>', '<=', '='])} {r.randint(0, 4)}"
                    if r.random() < 0.2:
                        source, inner = self.table_scope()
                        made.having += f" AND count(*) > (SELECT min({self.column('i', inner)}) FROM {source})"
        elif shape < 0.45:
            made.items = self.items(scope, depth) + [self.window(scope)]
        else:
            made.items = self.items(scope, depth)
            made.distinct = r.random() < 0.15
        return made

    def query(self):
        r = self.random
        self.aliases = 0
        commons, parts = [], []
        for n in range(r.choice([0, 0, 0, 1, 2])):
            inner = self.select(1, commons)
            commons.append((f"w{n}", [(f"c{at}", t) for at, (_, t) in enumerate(inner.items)]))
            parts.append(f"w{n} AS ({inner.text()})")
        made = self.select(2, commons)
        if parts:
            made.with_clause = "WITH " + ", ".join(parts) + " "
        if r.random() < 0.15:
            self.set_operation(made)
        if r.random() < 0.4:
            made.ordered = True
            if r.random() < 0.5:
                made.limit = f" LIMIT {r.randint(0, 10)}" + (f" OFFSET {r.randint(0, 5)}" if r.random() < 0.3 else "")
        return made

    def set_operation(self, made):
        r = self.random
        source, scope = self.table_scope()
        operator = r.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
        columns = ", ".join(self.expression(t, scope, 1) for _, t in made.items)
        made.set_arm = f" {operator} SELECT {columns} FROM {source}"
