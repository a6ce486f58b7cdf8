Attribute VB_Name = "RebalRibbon"
' NOTE
'
' What the buttons of the ribbon tab call. Each needs the control that was pressed, which neither a cell
' nor a shape of a workbook can hand over, so only the ribbon can start a macro.
Option Explicit

' CALLBACKS
Public Function RebalHelpText() As String
    RebalHelpText = ""
    ' LINES
End Function
