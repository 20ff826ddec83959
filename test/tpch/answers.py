"""Are two answers of one query the same?

Rule: where DuckDB gives a double and blueshift a decimal, they differ by less than one unit of the
decimal's last place; doubles agree to 1e-9; all else is equal. Rows tied under ORDER BY may swap.
"""
import decimal
import re


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


def first_difference(sql, names, ours, theirs):
    """None when they are the same. `names` are those of our columns."""
    return next(differences(ours, theirs, order_columns(sql, names)), None)
