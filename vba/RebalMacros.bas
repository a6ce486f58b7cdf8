Attribute VB_Name = "RebalMacros"
' What happens between a press on the ribbon and Python: files are asked for here, faults are shown here.
Option Explicit

' Start a macro on the active workbook.
Public Sub RebalPress(ByVal control As IRibbonControl, ByVal macro As String, Optional ByVal argument As String)
    On Error GoTo failed
    If Not RebalWorkbookThere() Then Exit Sub
    RebalHost.Run control, macro, argument
    Exit Sub
failed:
    RebalTell Err.Description
End Sub

' The file to read, "" when the user gave none.
Public Function RebalAskOpen() As String
    Dim chosen As Variant
    If Not RebalWorkbookThere() Then Exit Function
    #If Mac Then
    chosen = Application.GetOpenFilename(Title:="Positions to import")
    #Else
    chosen = Application.GetOpenFilename("Custodian files (*.csv;*.txt;*.xlsx;*.xls;*.ofx;*.qfx;*.xml)," & _
        "*.csv;*.txt;*.xlsx;*.xls;*.ofx;*.qfx;*.xml,All files (*.*),*.*", , "Positions to import")
    #End If
    If VarType(chosen) = vbString Then RebalAskOpen = chosen
End Function

' The file to write, "" when the user gave none.
Public Function RebalAskSave() As String
    Dim chosen As Variant
    If Not RebalWorkbookThere() Then Exit Function
    #If Mac Then
    chosen = Application.GetSaveAsFilename("orders.csv")
    #Else
    chosen = Application.GetSaveAsFilename("orders.csv", "Order files (*.csv),*.csv", , "Export orders")
    #End If
    If VarType(chosen) = vbString Then RebalAskSave = chosen
End Function

' The name that client reports begin with (of a whole book: their folder's), "" when the user gave none.
Public Function RebalAskReports() As String
    Dim chosen As Variant
    If Not RebalWorkbookThere() Then Exit Function
    #If Mac Then
    chosen = Application.GetSaveAsFilename(RebalReportsName())
    #Else
    chosen = Application.GetSaveAsFilename(RebalReportsName(), "Reports (*.xlsx),*.xlsx", , "Client reports: their names, or their folder")
    #End If
    If VarType(chosen) = vbString Then RebalAskReports = chosen
End Function

' "Book reports.xlsx" of the workbook Book.xlsx.
Private Function RebalReportsName() As String
    Dim title As String, dot As Long
    title = ActiveWorkbook.Name
    dot = InStrRev(title, ".")
    If dot > 1 Then title = Left$(title, dot - 1)
    RebalReportsName = title & " reports.xlsx"
End Function

' Help needs neither Python nor a network.
Public Sub RebalShowHelp()
    MsgBox "xl_rebal " & RebalBuiltVersion & RebalHelpText(), vbInformation, "Rebalance"
End Sub

' On the Mac, Python calls this by name in every workbook when it ends.
Public Sub CleanUp()
    #If Mac Then
    RebalHost.Finished
    #End If
End Sub

Private Sub RebalTell(ByVal words As String)
    MsgBox words, vbExclamation, "Rebalance"
End Sub

' With a file in Protected View in front, the active workbook is another one than the user sees.
Private Function RebalWorkbookThere() As Boolean
    Dim program As Object, inFront As Object
    If TypeName(Application.Caller) = "Range" Then Exit Function ' a cell asks for no files
    Set program = Application ' as an Object: the Mac has no Protected View, and would not compile it
    On Error Resume Next
    Set inFront = program.ActiveProtectedViewWindow
    On Error GoTo 0
    If Not inFront Is Nothing Then
        RebalTell "This file is in Protected View. Press Enable Editing first, if you trust where it came from."
    ElseIf ActiveWorkbook Is Nothing Then
        RebalTell "No workbook is open. Open one, or make one from the template portfolio."
    Else
        RebalWorkbookThere = True
    End If
End Function
