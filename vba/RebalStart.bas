Attribute VB_Name = "RebalStart"
' What happens when the add-in is loaded, and when a workbook arrives after it.
Option Explicit

Private watcher As RebalEvents
Private described As Boolean
Private late As Boolean

' Called by Workbook_Open. Excel is still starting: MacroOptions and links need a workbook, so the rest waits.
Public Sub RebalBegin()
    Dim book As Workbook
    For Each book In Application.Workbooks
        If Not book Is ThisWorkbook Then late = True
    Next book
    Set watcher = New RebalEvents
    Set watcher.Watched = Application
    On Error GoTo failed
    Application.OnTime Now, "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!RebalReady"
    Exit Sub
failed:
    RebalReady
End Sub

' Workbooks that were open before the add-in show #NAME? until all of Excel is computed again; those that
' are opened after it are computed by Excel anyway.
Public Sub RebalReady()
    Dim book As Workbook, waiting As Boolean
    On Error GoTo failed
    For Each book In Application.Workbooks
        If Not book Is ThisWorkbook Then
            RebalArrived book
            If late And Not waiting Then waiting = RebalHasFunctions(book)
        End If
    Next book
    If Not late Then Exit Sub
    late = False
    If waiting And Application.Calculation <> xlCalculationManual Then Application.CalculateFullRebuild
    Exit Sub
failed:
    RebalNotify Err.Description
End Sub

' A workbook that was opened or made while the add-in is there.
Public Sub RebalArrived(ByVal book As Workbook)
    Dim remains As String
    On Error GoTo failed
    If book Is ThisWorkbook Then Exit Sub
    RebalDescribeOnce
    remains = RebalMend(book)
    If remains <> "" Then RebalNotify remains
    Exit Sub
failed:
    RebalNotify Err.Description
End Sub

' MacroOptions fails while no workbook is open; the first one that arrives brings the help.
Private Sub RebalDescribeOnce()
    If described Or ActiveWorkbook Is Nothing Then Exit Sub
    described = True
    RebalDescribeFunctions
End Sub

' A program that drives Excel must not wait for somebody to press OK.
Private Sub RebalNotify(ByVal words As String)
    If Application.Visible And Application.DisplayAlerts And Application.Interactive Then
        MsgBox words, vbExclamation, "Rebalance"
    Else
        Application.StatusBar = "xl_rebal: " & words
    End If
End Sub
