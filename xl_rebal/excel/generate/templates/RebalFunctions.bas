Attribute VB_Name = "RebalFunctions"
' NOTE
'
' The worksheet functions. RebalHost.Python is the Python process, started at the first call.
' Neither the workbook nor the calling cell goes to Python: given a workbook, xlwings looks for sheets
' named *.py in it, and a client's file must not choose what runs.
Option Explicit

' What goes to Python for an argument: a value, a Range, or nothing.
' An argument that was left out becomes the table that stands in for it, if the workbook has it.
Private Function RebalArgument(ByVal argument As String, ByVal table As String, _
        ByVal needed As Boolean, Optional given As Variant) As Variant
    Dim area As Range
    If IsMissing(given) Then
        If table = "" Then Exit Function
        Set area = RebalStandIn(table)
        ' Excel does not know that the cell depends on the table: compute it at every calculation.
        If needed Or Not area Is Nothing Then Application.Volatile
        If area Is Nothing Then Exit Function
    ElseIf TypeName(given) = "Range" Then
        Set area = given
        If area.Areas.Count > 1 Then
            Err.Raise 1001, , argument & ": is made of " & area.Areas.Count & _
                " ranges; point it at one block of cells"
        End If
        If table <> "" Then Set area = RebalWithHeader(area)
    Else
        RebalArgument = given
        Exit Function
    End If
    Set RebalArgument = RebalUsedPart(area)
End Function

' The table, else the defined name, in the workbook of the calling cell.
Private Function RebalStandIn(ByVal table As String) As Range
    Dim book As Workbook, sheet As Worksheet, list As ListObject
    If TypeName(Application.Caller) = "Range" Then
        Set book = Application.Caller.Worksheet.Parent
    Else
        Set book = ActiveWorkbook
    End If
    For Each sheet In book.Worksheets
        For Each list In sheet.ListObjects
            If StrComp(list.Name, table, vbTextCompare) = 0 Then
                Set RebalStandIn = RebalWithHeader(list.Range)
                Exit Function
            End If
        Next list
    Next sheet
    On Error Resume Next
    Set RebalStandIn = book.Names(table).RefersToRange
End Function

' "tblHoldings" in a formula means the rows of the table; the header belongs to it, its totals do not.
Private Function RebalWithHeader(ByVal area As Range) As Range
    Dim list As ListObject, header As Range, below As Long
    Set RebalWithHeader = area
    Set list = area.ListObject
    If list Is Nothing Then Exit Function
    If Not list.ShowHeaders Or list.ListColumns.Count < 2 Then Exit Function
    Set header = list.HeaderRowRange
    below = list.ListRows.Count
    If area.Column <> header.Column Or area.Columns.Count <> header.Columns.Count Then Exit Function
    If area.Row > header.Row + 1 Or area.Row + area.Rows.Count <= header.Row + below Then Exit Function
    If area.Row + area.Rows.Count > list.Range.Row + list.Range.Rows.Count Then Exit Function
    Set RebalWithHeader = header.Resize(below + 1)
End Function

' A whole column, as far as its sheet is used.
Private Function RebalUsedPart(ByVal area As Range) As Range
    Dim used As Range, tall As Long, wide As Long
    Set used = area.Worksheet.UsedRange
    tall = used.Row + used.Rows.Count - area.Row
    wide = used.Column + used.Columns.Count - area.Column
    If tall > area.Rows.Count Then tall = area.Rows.Count
    If wide > area.Columns.Count Then wide = area.Columns.Count
    If tall < 1 Then tall = 1
    If wide < 1 Then wide = 1
    Set RebalUsedPart = area.Resize(tall, wide)
End Function

' In the function wizard nothing is computed.
Private Function RebalInWizard() As Boolean
    On Error Resume Next
    RebalInWizard = Not Application.CommandBars("Standard").Controls(1).Enabled
End Function

Private Function RebalFailure(ByVal words As String) As String
    If Left$(words, Len("PREFIX")) <> "PREFIX" Then words = "PREFIX" & words
    RebalFailure = Left$(words, 32000)
End Function
