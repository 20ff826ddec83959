"""Are two results of one query the same?

The rule: where DuckDB gives a double and we a decimal, they differ by less than one unit of our last
place; doubles by 1e-9 relative; everything else exactly. Rows that tie under ORDER BY may swap, and
of a tie that LIMIT cuts through either side may have other rows.
"""
import decimal
import math
import re

EXACT = decimal.Context(prec=80)
BLANK_PADDED = 1042  # type oid of CHAR(n)


def cell_equals(ours, theirs):
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, float):
        if isinstance(ours, decimal.Decimal):
            unit = decimal.Decimal(1).scaleb(ours.as_tuple().exponent)
            return abs(EXACT.subtract(ours, decimal.Decimal(theirs))) < unit
        return isinstance(ours, (int, float)) and math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=0)
    if isinstance(theirs, (int, decimal.Decimal)) and isinstance(ours, float):
        return math.isclose(ours, float(theirs), rel_tol=1e-9, abs_tol=0)
    return ours == theirs


def row_equals(ours, theirs):
    return len(ours) == len(theirs) and all(map(cell_equals, ours, theirs))


def order_columns(sql, names):
    """Positions in the result of the outermost ORDER BY; [] if there is none."""
    depth_zero, depth = [], 0
    for character in sql.lower():
        depth += (character == "(") - (character == ")")
        if depth == 0 and character != ")":
            depth_zero.append(character)
    found = re.search(r"order\s+by\s+(.*?)(\s+limit\s+\d+)?\s*$", "".join(depth_zero), re.S)
    if not found:
        return []
    keys = [re.sub(r"\s+(asc|desc)$", "", key.strip()) for key in found.group(1).split(",")]
    return [int(key) - 1 if key.isdigit() else names.index(key) for key in keys]


def difference(sql, names, type_oids, ours, theirs):
    """None if the results are the same, else one sentence about the first difference."""
    padded = [index for index, oid in enumerate(type_oids) if oid == BLANK_PADDED]
    if padded:
        ours = [tuple(value.rstrip(" ") if index in padded and value is not None else value
                      for index, value in enumerate(row)) for row in ours]
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    keys = order_columns(sql, names)
    limit = re.search(r"limit\s+(\d+)\s*$", sql, re.I)
    cut = limit is not None and len(theirs) == int(limit.group(1))
    begin = 0
    while begin < len(theirs):
        end = begin + 1
        while end < len(theirs) and all(theirs[end][key] == theirs[begin][key] for key in keys):
            end += 1
        for index in range(begin, end):
            if not all(cell_equals(ours[index][key], theirs[begin][key]) for key in keys):
                return f"row {index + 1}: {ours[index]}, expected {theirs[begin]}"
        if not (cut and end == len(theirs) and end - begin > 1):
            remaining = list(ours[begin:end])
            for row in theirs[begin:end]:
                same = next((index for index, own in enumerate(remaining) if row_equals(own, row)), None)
                if same is None:
                    return f"rows {begin + 1} to {end}: no row {row}; the nearest place has {remaining[0]}"
                del remaining[same]
        begin = end
    return None
