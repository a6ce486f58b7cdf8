"""Series of a client's charts: whole columns of a table, with the values that it is saved with."""

from __future__ import annotations

from dataclasses import dataclass

from xl_rebal.workbooks.cells import address, clean_text
from xl_rebal.workbooks.charts import Bars
from xl_rebal.workbooks.layout import Place, TableContents


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSource:
    """A table on a sheet as the source of a chart."""

    sheet: str
    place: Place
    contents: TableContents

    def ref(self, header: str) -> str:
        """The cells of a column, as `Drift!$F$5:$F$9`."""
        column = self.place.block.column_of(header)
        first = address(self.place.first_row, column, sheet=self.sheet)
        return f"{first}:{address(self.place.last_row, column)}"

    def texts(self, header: str) -> list[str]:
        """The texts of a column."""
        return [clean_text(str(value)) for value in self._column(header)]

    def bars(self, header: str, colour: str) -> Bars:
        """A column as a series under its header's name."""
        column = self.place.block.column_of(header)
        values = self._column(header)
        return Bars(
            label_ref=address(self.place.header_row, column, sheet=self.sheet),
            label=header,
            ref=self.ref(header),
            values=[value if isinstance(value, (int, float)) else "" for value in values],
            colour=colour,
        )

    def _column(self, header: str) -> list[object]:
        return list(self.contents.columns[self.place.block.headers.index(header)])
