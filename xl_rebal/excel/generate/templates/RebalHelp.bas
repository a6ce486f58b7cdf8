Attribute VB_Name = "RebalHelp"
' NOTE
'
' Help in Excel's function wizard. The add-in calls RebalDescribeFunctions once a workbook is open.
Option Explicit

Public Sub RebalDescribeFunctions()
    ' CALLS
End Sub

' Help is a courtesy: where Excel refuses it, the function works without.
Private Sub RebalDescribe(ByVal functionName As String, ByVal about As String, ByVal helps As Variant)
    Dim macro As String
    macro = "'" & ThisWorkbook.Name & "'!" & functionName
    On Error Resume Next
    If UBound(helps) < 0 Then
        Application.MacroOptions Macro:=macro, Description:=about, Category:="CATEGORY"
    Else
        Application.MacroOptions Macro:=macro, Description:=about, Category:="CATEGORY", _
            ArgumentDescriptions:=helps
    End If
End Sub
