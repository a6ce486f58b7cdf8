Attribute VB_Name = "RebalRepair"
' Links to the add-in of another machine. Excel stores the path of an add-in in every formula that calls it;
' opened elsewhere such a formula shows 'C:\Users\...\xl_rebal.xlam'!REBAL_DRIFT(...) and computes nothing.
Option Explicit
Option Private Module

Public Sub RebalMend(ByVal book As Workbook)
End Sub

Public Function RebalHasFunctions(ByVal book As Workbook) As Boolean
End Function
