"""Tables as files: CSV in which no cell is a formula, and Parquet. A million rows take seconds."""

import io
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# A cell that begins with one of these is run as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
FORMULA = r"\A[=+\-@\t\r\n]"
SPECIAL = r'[",\r\n]'


def csv_bytes(table: pd.DataFrame) -> bytes:
    """UTF-8 CSV in which no cell is a formula: a text that begins like one gets an apostrophe in front.

    Examples
    --------
    >>> csv_bytes(pd.DataFrame({"a": ["=1+1", "plain"], "b": [1, 2]}))
    b"a,b\\n'=1+1,1\\nplain,2\\n"
    """
    heading = ",".join(_quoted(pa.array([str(name) for name in table.columns], pa.large_string())).to_pylist()) + "\n"
    if table.empty or not len(table.columns):
        return heading.encode()
    columns = [_cells(table[name]) for name in table.columns]
    lines = pc.binary_join_element_wise(*columns, pa.scalar(",", pa.large_string()))
    ended = pc.binary_join_element_wise(lines, pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string()))
    return heading.encode() + _content(ended)


def parquet_bytes(table: pd.DataFrame, label: Mapping[str, str]) -> bytes:
    """Parquet with exact types; `label` goes into the file's metadata."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    told = {key.encode(): value.encode() for key, value in label.items()}
    buffer = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **told}), buffer)
    return buffer.getvalue()


def _cells(column: pd.Series) -> pa.Array:
    """One column as the texts of its cells; what is missing is an empty cell."""
    array = _flat(pa.array(column, from_pandas=True))
    kind = array.type
    if pa.types.is_timestamp(kind):
        texts = pc.strftime(array.cast(pa.timestamp("us", kind.tz)), "%Y-%m-%dT%H:%M:%SZ").cast(pa.large_string())
    elif pa.types.is_boolean(kind):
        texts = pc.if_else(array, pa.scalar("True", pa.large_string()), pa.scalar("False", pa.large_string()))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(_defused(pc.fill_null(array.cast(pa.large_string()), "")))
    else:
        texts = array.cast(pa.large_string())
    return pc.fill_null(texts, "")


def _flat(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _defused(texts: pa.Array) -> pa.Array:
    runs = pc.match_substring_regex(texts, FORMULA)
    if not pc.any(runs).as_py():
        return texts
    protected = pc.binary_join_element_wise(
        pa.scalar("'", pa.large_string()), texts, pa.scalar("", pa.large_string())
    )  # fmt: skip
    return pc.if_else(runs, protected, texts)


def _quoted(texts: pa.Array) -> pa.Array:
    """In quotes where a comma, a quotation mark or the end of a line stands in a text."""
    special = pc.match_substring_regex(texts, SPECIAL)
    if not pc.any(special).as_py():
        return texts
    mark, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(mark, doubled, mark, nothing), texts)


def _content(texts: pa.Array) -> bytes:
    """All texts one after the other: they stand like that in memory."""
    flat = _flat(texts)
    offsets = memoryview(flat.buffers()[1]).cast("q")
    begin, end = offsets[flat.offset], offsets[flat.offset + len(flat)]
    return bytes(memoryview(flat.buffers()[2])[begin:end])
