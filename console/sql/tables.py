"""The tables: filled by the readers that every other verb reads by, so that a sum here is the sum there.

DuckDB works on a file of its own in a folder of its own, with bounds on memory; once the tables are filled it may open
no file and load nothing, whatever the question says.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from console.domain.document import document
from console.domain.errors import UsageError
from console.domain.operator.receipt import AuditEntry
from console.domain.text import clean
from console.logs.lines.parse import version_text

if TYPE_CHECKING:
    import duckdb

    from console.domain.state.kept import Acted
    from console.logs.index.search import Hit
    from console.logs.options import LogOptions

MEMORY: Final = "512MB"
THREADS: Final = 2
AT_ONCE: Final = 100_000
"""Rows that are handed over together."""
WHOLE, FRACTION = 20, 18
"""Digits of an amount that a column holds; one that has more is null there, and counted."""
_MOST: Final = Decimal(10) ** WHOLE
_MONEY: Final = f"DECIMAL({WHOLE + FRACTION}, {FRACTION})"
TABLES: Final = {
    "decisions": (
        ("time", "TIMESTAMP"),
        ("slot", "VARCHAR"),
        ("version", "VARCHAR"),
        ("type", "VARCHAR"),
        ("pnl", _MONEY),
        ("currency", "VARCHAR"),
        ("dry", "BOOLEAN"),
        ("latency_ms", "DOUBLE"),
        ("log", "VARCHAR"),
        ("place", "BIGINT"),
        ("line", "VARCHAR"),
    ),
    "audit": (
        ("time", "TIMESTAMP"),
        ("id", "VARCHAR"),
        ("command", "VARCHAR"),
        ("who", "VARCHAR"),
        ("why", "VARCHAR"),
        ("source", "VARCHAR"),
        ("epoch", "BIGINT"),
        ("changes", "VARCHAR"),
        ("note", "VARCHAR"),
        ("problem", "VARCHAR"),
    ),
    "acts": (
        ("time", "TIMESTAMP"),
        ("number", "BIGINT"),
        ("did", "VARCHAR"),
        ("key", "VARCHAR"),
        ("slot", "VARCHAR"),
        ("instance", "VARCHAR"),
        ("epoch", "BIGINT"),
        ("outcome", "VARCHAR"),
        ("amount", _MONEY),
        ("currency", "VARCHAR"),
        ("told", "VARCHAR"),
    ),
}
"""Each table with its columns; times are UTC, `line` is the whole record as JSON text."""


class Answer(NamedTuple):
    """What a question brought.

    Args:
        names: of the columns.
        rows: at most as many as were asked for.
        more: whether there are more.
    """

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


class Tables:
    """Tables that are being filled, and then asked.

    Args:
        connection: to DuckDB.
        folder: for what is handed over.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self.too_long = 0
        """Amounts that have more digits than a column holds."""
        for name, columns in TABLES.items():
            self._connection.execute(f"CREATE TABLE {name} ({', '.join(f'{one} {kind}' for one, kind in columns)})")

    def add_decisions(self, hits: Iterable[Hit], options: LogOptions) -> None:
        """Rounds of decision logs."""
        self._fill("decisions", (self._decision(hit, options) for hit in hits))

    def _decision(self, hit: Hit, options: LogOptions) -> tuple[object, ...]:
        row = hit.row
        version = version_text(row.version)
        return (
            _moment(datetime.fromtimestamp(row.time_s, UTC)),
            options.slot_of(version, row.slot),
            version,
            row.kind,
            self._amount(row.amount),
            row.currency,
            row.dry,
            row.latency_ms,
            str(hit.path),
            hit.offset,
            hit.line.decode("utf-8", "replace"),
        )

    def add_audit(self, entries: Iterable[AuditEntry]) -> None:
        """Receipts, and what changed without one."""
        self._fill(
            "audit",
            (
                (
                    _moment(one.at),
                    one.id,
                    one.command,
                    one.who,
                    one.why,
                    one.source.value,
                    one.epoch,
                    json.dumps([document(change) for change in one.changes], ensure_ascii=False),
                    one.note,
                    one.problem,
                )
                for one in entries
            ),
        )

    def add_acts(self, acts: Iterable[Acted]) -> None:
        """Entries of the stream of actions."""
        self._fill(
            "acts",
            (
                (
                    _moment(one.at),
                    one.number,
                    one.did.value,
                    one.key,
                    one.slot,
                    one.instance,
                    one.epoch,
                    one.outcome,
                    self._amount(one.amount),
                    one.currency,
                    one.text,
                )
                for one in acts
            ),
        )

    def _amount(self, amount: Decimal | None) -> str | None:
        if amount is None:
            return None
        exponent = amount.as_tuple().exponent
        if not isinstance(exponent, int) or abs(amount) >= _MOST or -exponent > FRACTION:
            self.too_long += 1
            return None
        return f"{amount:f}"

    def _fill(self, table: str, rows: Iterator[tuple[object, ...]]) -> None:
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TABLES[table])
        file = self._folder / "rows.csv"
        while part := list(islice(rows, AT_ONCE)):
            with file.open("w", encoding="utf-8", errors="replace", newline="") as out:
                writer = csv.writer(out, quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL") else csv.QUOTE_ALL)
                writer.writerows([_ABSENT if one is None else _sound(one) for one in row] for row in part)
            self._connection.execute(
                f"INSERT INTO {table} SELECT * FROM read_csv(?, columns={{{columns}}}, header=false, quote='\"', "  # noqa: S608
                f"escape='\"', delim=',', nullstr='{_ABSENT}', allow_quoted_nulls=true, max_line_size=8388608)",
                [str(file)],
            )
        file.unlink(missing_ok=True)

    def close_doors(self) -> None:
        """From now on no question opens a file, loads anything or undoes this."""
        for setting in (
            "enable_external_access = false",
            "autoinstall_known_extensions = false",
            "python_enable_replacements = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def ask(self, question: str, most: int) -> Answer:
        """The rows that a question brings.

        Args:
            question: in DuckDB's SQL.
            most: how many rows at most.

        Raises:
            UsageError: it is no question that can be answered.
        """
        import duckdb

        try:
            asked = self._connection.execute(question)
            rows = asked.fetchmany(most + 1)
            names = tuple(str(column[0]) for column in asked.description or ())
        except duckdb.Error as error:
            first = str(error).strip().splitlines() or ["no reason was given"]
            raise UsageError(
                f"That can't be answered: {clean(first[0], 300)}", "`agent-console sql` names the tables."
            ) from error
        return Answer(names, rows[:most], len(rows) > most)


_ABSENT: Final = "\x00null"


def _sound(value: object) -> object:
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


@contextmanager
def opened() -> Iterator[Tables]:
    """Empty tables, gone with the block.

    Raises:
        UsageError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise UsageError(
            "Questions in SQL need DuckDB, which is not installed.", "`pip install 'agent-console[sql]'` installs it."
        ) from error
    with TemporaryDirectory(prefix="agent-console-sql-") as name:
        folder = Path(name)
        connection = duckdb.connect(
            str(folder / "tables.duckdb"), config={"memory_limit": MEMORY, "threads": THREADS, "temp_directory": name}
        )
        try:
            yield Tables(connection, folder)
        finally:
            connection.close()


def names() -> Sequence[tuple[str, str]]:
    """Each table, and its columns in one line."""
    return [(name, ", ".join(f"{one} {kind.lower()}" for one, kind in columns)) for name, columns in TABLES.items()]
