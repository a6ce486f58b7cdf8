Attribute VB_Name = "RebalRepair"
' Links to the add-in of another machine. Excel stores the path of an add-in in every formula that calls it;
' opened elsewhere such a formula shows 'C:\Users\...\xl_rebal.xlam'!REBAL_DRIFT(...) and computes nothing.
' Books, sheets and cells are Objects here, so that tests can hand over their own, and because Formula2 and
' HasSpill do not exist before Excel 365: there Formula does the work.
Option Explicit
Option Private Module

Private Const BLOCK As Long = 5000 ' rows read at a time

' Point a workbook's links at this add-in. What could not be mended, in words; "" when all is well.
Public Function RebalMend(ByVal book As Object) As String
    Dim quiet As RebalQuiet, lifted As Collection, wasSaved As Boolean, locked As String
    If RebalForeignLinks(book).Count = 0 Then Exit Function
    On Error GoTo failed
    wasSaved = book.Saved
    Set quiet = New RebalQuiet
    Set lifted = New Collection
    quiet.Begin
    locked = RebalLift(book, lifted)
    If Not RebalChangeLinks(book) Then RebalRewriteBook book
    If RebalForeignLinks(book).Count > 0 Then RebalMend = RebalLeft(book, locked)
restore:
    On Error Resume Next
    RebalMend = RebalMend & RebalPutBack(book, lifted)
    If wasSaved Then book.Saved = True
    quiet.Finish
    Exit Function
failed:
    RebalMend = book.Name & ": " & Err.Description
    Resume restore
End Function

' The links of a workbook that lead to an add-in of our name in another place.
Public Function RebalForeignLinks(ByVal book As Object) As Collection
    Dim links As Variant, link As Variant, found As Collection
    Set found = New Collection
    Set RebalForeignLinks = found
    links = book.LinkSources(xlExcelLinks)
    If IsEmpty(links) Then Exit Function
    For Each link In links
        If RebalIsOurs(link) And StrComp(link, ThisWorkbook.FullName, vbTextCompare) <> 0 Then
            found.Add CStr(link)
        End If
    Next link
End Function

' Whether any formula of a workbook calls one of our functions.
Public Function RebalHasFunctions(ByVal book As Object) As Boolean
    Dim sheet As Object
    For Each sheet In book.Worksheets
        If RebalCellsWith(sheet, "REBAL_", 1).Count > 0 Then
            RebalHasFunctions = True
            Exit Function
        End If
    Next sheet
End Function

' The cells of a sheet whose formula holds certain words, as "row,column"; `most` of them, or all for 0.
Public Function RebalCellsWith(ByVal sheet As Object, ByVal words As String, ByVal most As Long) As Collection
    Dim used As Object, part As Object, formulas As Variant, found As Collection
    Dim first As Long, rows As Long, row As Long, column As Long, place As String
    Set found = New Collection
    Set RebalCellsWith = found
    Set used = sheet.UsedRange
    For first = 1 To used.Rows.Count Step BLOCK
        rows = used.Rows.Count - first + 1
        If rows > BLOCK Then rows = BLOCK
        Set part = used.Cells(first, 1).Resize(rows, used.Columns.Count)
        formulas = RebalAsArray(part.Formula)
        For row = 1 To UBound(formulas, 1)
            For column = 1 To UBound(formulas, 2)
                If RebalIsFormulaWith(formulas(row, column), words) Then
                    place = CStr(part.Row + row - 1) & "," & CStr(part.Column + column - 1)
                    found.Add place
                    If found.Count = most Then Exit Function
                End If
            Next column
        Next row
    Next first
End Function

' A single cell gives its formula alone; more give an array of rows and columns.
Private Function RebalAsArray(ByVal formulas As Variant) As Variant
    Dim one(1 To 1, 1 To 1) As Variant
    If IsArray(formulas) Then
        RebalAsArray = formulas
    Else
        one(1, 1) = formulas
        RebalAsArray = one
    End If
End Function

Private Function RebalIsFormulaWith(ByVal formula As Variant, ByVal words As String) As Boolean
    If VarType(formula) <> vbString Then Exit Function
    If Left$(formula, 1) <> "=" Then Exit Function
    RebalIsFormulaWith = InStr(1, formula, words, vbTextCompare) > 0
End Function

' Lift the protection of all sheets that have no password; the names of those that have one.
Private Function RebalLift(ByVal book As Object, ByVal lifted As Collection) As String
    Dim sheet As Object, protection As RebalProtection
    For Each sheet In book.Worksheets
        Set protection = New RebalProtection
        lifted.Add protection
        If Not protection.Lift(sheet) Then
            If RebalLift <> "" Then RebalLift = RebalLift & ", "
            RebalLift = RebalLift & sheet.Name
        End If
    Next sheet
End Function

' Put all protection back, one sheet's failure or not; the sheets that must be protected by hand, in words.
Private Function RebalPutBack(ByVal book As Object, ByVal lifted As Collection) As String
    Dim protection As Variant
    On Error Resume Next
    For Each protection In lifted
        Err.Clear
        protection.PutBack
        If Err.Number <> 0 Then
            RebalPutBack = RebalPutBack & vbNewLine & book.Name & ": protect the sheet " & protection.SheetName & _
                " again by hand (" & Err.Description & ")"
        End If
    Next protection
End Function

' Excel's own way; it refuses as a whole while a protected sheet holds such a link.
Private Function RebalChangeLinks(ByVal book As Object) As Boolean
    Dim link As Variant
    On Error GoTo refused
    For Each link In RebalForeignLinks(book)
        book.ChangeLink link, ThisWorkbook.FullName, xlLinkTypeExcelLinks
    Next link
    RebalChangeLinks = RebalForeignLinks(book).Count = 0
    Exit Function
refused:
End Function

' Formula by formula, where Excel's own way failed.
Private Sub RebalRewriteBook(ByVal book As Object)
    Dim sheet As Object, place As Variant, parts As Variant, defined As Object
    For Each sheet In book.Worksheets
        If Not sheet.ProtectContents Then
            For Each place In RebalCellsWith(sheet, "xl_rebal.xlam", 0)
                parts = Split(place, ",")
                RebalRewriteCell sheet.Cells(CLng(parts(0)), CLng(parts(1)))
            Next place
        End If
    Next sheet
    For Each defined In book.Names
        If RebalWithoutPath(defined.RefersTo) <> defined.RefersTo Then
            defined.RefersTo = RebalWithoutPath(defined.RefersTo)
        End If
    Next defined
End Sub

' A table that spills has its formula in its first cell; an older array formula belongs to all its cells.
Public Sub RebalRewriteCell(ByVal cell As Object)
    Dim area As Object
    If RebalIsSpilledInto(cell) Then Exit Sub
    If cell.HasArray And Not RebalSpills(cell) Then
        Set area = cell.CurrentArray
        If cell.Row = area.Row And cell.Column = area.Column Then
            RebalRewriteArray area, RebalWithoutPath(cell.Formula)
        End If
        Exit Sub
    End If
    On Error GoTo older
    cell.Formula2 = RebalWithoutPath(cell.Formula2)
    Exit Sub
older:
    If Err.Number <> 438 Then Err.Raise Err.Number, , Err.Description
    cell.Formula = RebalWithoutPath(cell.Formula)
End Sub

' FormulaArray takes 255 characters; a longer one becomes a table that spills.
Private Sub RebalRewriteArray(ByVal area As Object, ByVal formula As String)
    If Len(formula) <= 255 Then
        area.FormulaArray = formula
    Else
        area.ClearContents
        area.Cells(1, 1).Formula2 = formula
    End If
End Sub

Private Function RebalSpills(ByVal cell As Object) As Boolean
    On Error Resume Next
    RebalSpills = cell.HasSpill
End Function

Private Function RebalIsSpilledInto(ByVal cell As Object) As Boolean
    If Not RebalSpills(cell) Then Exit Function
    RebalIsSpilledInto = cell.SpillParent.Row <> cell.Row Or cell.SpillParent.Column <> cell.Column
End Function

Private Function RebalLeft(ByVal book As Object, ByVal locked As String) As String
    RebalLeft = book.Name & ": some REBAL_ formulas still point at the add-in of another machine (" & _
        RebalForeignLinks(book)(1) & ")"
    If locked <> "" Then
        RebalLeft = RebalLeft & "; unprotect " & locked & " (a password is needed) and open the workbook again"
    Else
        RebalLeft = RebalLeft & "; use Data > Edit Links > Change Source and choose " & ThisWorkbook.FullName
    End If
End Function
