Attribute VB_Name = "RebalRibbon"
' Made from xl_rebal/excel/ribbon.py by xl_rebal.excel.generate; changes here are lost.
'
' What the buttons of the ribbon tab call. Each needs the control that was pressed, which neither a cell
' nor a shape of a workbook can hand over, so only the ribbon can start a macro.
Option Explicit

Public Sub PressImportPositions(control As IRibbonControl)
    Dim file As String
    file = RebalAskOpen()
    If file <> "" Then RebalPress control, "import_positions", file
End Sub

Public Sub PressCheckDrift(control As IRibbonControl)
    RebalPress control, "check_drift"
End Sub

Public Sub PressGenerateTrades(control As IRibbonControl)
    RebalPress control, "generate_trades"
End Sub

Public Sub PressVerifyTrades(control As IRibbonControl)
    RebalPress control, "verify_trades"
End Sub

Public Sub PressExportOrders(control As IRibbonControl)
    Dim file As String
    file = RebalAskSave()
    If file <> "" Then RebalPress control, "export_orders", file
End Sub

Public Sub PressBacktest(control As IRibbonControl)
    RebalPress control, "backtest"
End Sub

Public Sub PressClientReports(control As IRibbonControl)
    Dim file As String
    file = RebalAskReports()
    If file <> "" Then RebalPress control, "client_reports", file
End Sub

Public Sub PressWriteTables(control As IRibbonControl)
    RebalPress control, "write_tables"
End Sub

Public Sub PressUndoLast(control As IRibbonControl)
    RebalPress control, "undo_last"
End Sub

Public Sub PressPrepareForSharing(control As IRibbonControl)
    RebalPress control, "prepare_for_sharing"
End Sub

Public Sub PressDoctor(control As IRibbonControl)
    RebalPress control, "doctor"
End Sub

Public Sub PressHelp(control As IRibbonControl)
    RebalShowHelp
End Sub

Public Function RebalHelpText() As String
    RebalHelpText = ""
    RebalHelpText = RebalHelpText & vbNewLine & "Import Positions: Read a custodian's file into tblHoldings"
    RebalHelpText = RebalHelpText & vbNewLine & "Check Drift: Weights against targets, as a table"
    RebalHelpText = RebalHelpText & vbNewLine & "Generate Trades: The trades that the policy asks for"
    RebalHelpText = RebalHelpText & vbNewLine & "Verify Trades: Check the plan again after edits"
    RebalHelpText = RebalHelpText & vbNewLine & "Export Orders: Write the verified plan as order files"
    RebalHelpText = RebalHelpText & vbNewLine & "Backtest: The policy on past prices"
    RebalHelpText = RebalHelpText & vbNewLine & "Client Reports: A workbook per client"
    RebalHelpText = RebalHelpText & vbNewLine & "Write Tables: The functions' tables, as plain values"
    RebalHelpText = RebalHelpText & vbNewLine & "Undo: Take back what the last button wrote"
    RebalHelpText = RebalHelpText & vbNewLine & "Prepare for Sharing: Remove what a recipient should not get"
    RebalHelpText = RebalHelpText & vbNewLine & "Doctor: Check the installation"
    RebalHelpText = RebalHelpText & vbNewLine & "Help: What the buttons and functions do"
End Function
