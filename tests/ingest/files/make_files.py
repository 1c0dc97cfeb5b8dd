"""Make old.xls and password.xlsx, in a place of its own with xlwt 1.3.0 and msoffcrypto-tool.

Nothing in the project's environment writes these formats: `pip install xlwt msoffcrypto-tool
openpyxl` into another one, then `python make_files.py` in this folder.
"""

import datetime
import io

import openpyxl
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

HEADER = ["id", "nr", "day", "wai1"]

book = xlwt.Workbook()
sheet = book.add_sheet("Data")
date = xlwt.XFStyle()
date.num_format_str = "yyyy-mm-dd"
for column, name in enumerate(HEADER):
    sheet.write(0, column, name)
for row in range(1, 5):
    if row < 3:
        sheet.write(row, 0, f"P{row}")
    sheet.write(row, 1, row)
    sheet.write(row, 2, datetime.date(2024, 1, row), date)
    sheet.write(row, 3, 3)
sheet.row(2).hidden = True
sheet.write_merge(3, 4, 0, 0, "P3")
book.save("old.xls")

plain = openpyxl.Workbook()
plain.active.append(HEADER)
stream = io.BytesIO()
plain.save(stream)
with open("password.xlsx", "wb") as protected:
    OOXMLFile(io.BytesIO(stream.getvalue())).encrypt("secret", protected)
