"""The programs that show the worksheet functions: desktop Excel and LibreOffice Calc."""
