Attribute VB_Name = "RebalFunctions"
' Made from xl_rebal/excel/registry.py by xl_rebal.excel.generate; changes here are lost.
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
    If Left$(words, Len("#REBAL! ")) <> "#REBAL! " Then words = "#REBAL! " & words
    RebalFailure = Left$(words, 32000)
End Function

Public Function REBAL_WEIGHTS( _
        Optional holdings As Variant) As Variant
    ' The weight of every holding in its account.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_WEIGHTS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_weights", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings)))
    Exit Function
failed:
    REBAL_WEIGHTS = RebalFailure(Err.Description)
End Function

Public Function REBAL_DRIFT( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant) As Variant
    ' Weights against targets, class by class.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_DRIFT = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_drift", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy)))
    Exit Function
failed:
    REBAL_DRIFT = RebalFailure(Err.Description)
End Function

Public Function REBAL_STATUS( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant) As Variant
    ' Whether every class is within its band, in words.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_STATUS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_status", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy)))
    Exit Function
failed:
    REBAL_STATUS = RebalFailure(Err.Description)
End Function

Public Function REBAL_BANDS( _
        Optional targets As Variant, _
        Optional policy As Variant, _
        Optional volatilities As Variant) As Variant
    ' The edges of every class's band.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_BANDS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_bands", Array( _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("volatilities", "tblVolatilities", False, volatilities)))
    Exit Function
failed:
    REBAL_BANDS = RebalFailure(Err.Description)
End Function

Public Function REBAL_TRADES( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant, _
        Optional costs As Variant, _
        Optional flow As Variant, _
        Optional restrictions As Variant) As Variant
    ' The trades that the policy asks for.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_TRADES = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_trades", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("costs", "tblCosts", False, costs), _
        RebalArgument("flow", "", False, flow), _
        RebalArgument("restrictions", "tblRestrictions", False, restrictions)))
    Exit Function
failed:
    REBAL_TRADES = RebalFailure(Err.Description)
End Function

Public Function REBAL_CASHFLOW( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional amount As Variant, _
        Optional mode As Variant) As Variant
    ' What new money buys, or what a withdrawal sells.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_CASHFLOW = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_cashflow", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("amount", "", True, amount), _
        RebalArgument("mode", "", False, mode)))
    Exit Function
failed:
    REBAL_CASHFLOW = RebalFailure(Err.Description)
End Function

Public Function REBAL_COST( _
        Optional trades As Variant, _
        Optional costs As Variant) As Variant
    ' What a list of trades costs.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_COST = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_cost", Array( _
        RebalArgument("trades", "tblTrades", True, trades), _
        RebalArgument("costs", "tblCosts", False, costs)))
    Exit Function
failed:
    REBAL_COST = RebalFailure(Err.Description)
End Function

Public Function REBAL_NETBENEFIT( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant, _
        Optional costs As Variant, _
        Optional risk_aversion As Variant, _
        Optional prices As Variant) As Variant
    ' What the trades that the policy asks for are worth after their costs.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_NETBENEFIT = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_netbenefit", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("costs", "tblCosts", False, costs), _
        RebalArgument("risk_aversion", "", False, risk_aversion), _
        RebalArgument("prices", "tblPrices", False, prices)))
    Exit Function
failed:
    REBAL_NETBENEFIT = RebalFailure(Err.Description)
End Function

Public Function REBAL_SHOCK( _
        Optional weights As Variant, _
        Optional returns As Variant) As Variant
    ' What given returns make of weights.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_SHOCK = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_shock", Array( _
        RebalArgument("weights", "", True, weights), _
        RebalArgument("returns", "", True, returns)))
    Exit Function
failed:
    REBAL_SHOCK = RebalFailure(Err.Description)
End Function

Public Function REBAL_EDGES( _
        Optional holdings As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant) As Variant
    ' The market move that reaches each edge of a band.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_EDGES = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_edges", Array( _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy)))
    Exit Function
failed:
    REBAL_EDGES = RebalFailure(Err.Description)
End Function

Public Function REBAL_BACKTEST( _
        Optional prices As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant, _
        Optional cost_bps As Variant, _
        Optional output As Variant) As Variant
    ' A policy on past prices.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_BACKTEST = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_backtest", Array( _
        RebalArgument("prices", "tblPrices", True, prices), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("cost_bps", "", False, cost_bps), _
        RebalArgument("output", "", False, output)))
    Exit Function
failed:
    REBAL_BACKTEST = RebalFailure(Err.Description)
End Function

Public Function REBAL_COMPARE( _
        Optional prices As Variant, _
        Optional targets As Variant, _
        Optional policies As Variant, _
        Optional cost_bps As Variant) As Variant
    ' Policies side by side.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_COMPARE = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_compare", Array( _
        RebalArgument("prices", "tblPrices", True, prices), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policies", "", True, policies), _
        RebalArgument("cost_bps", "", False, cost_bps)))
    Exit Function
failed:
    REBAL_COMPARE = RebalFailure(Err.Description)
End Function

Public Function REBAL_OPTIMAL_BAND( _
        Optional prices As Variant, _
        Optional targets As Variant, _
        Optional cost_bps As Variant, _
        Optional limit As Variant) As Variant
    ' The best band on past prices, and all that were tried.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_OPTIMAL_BAND = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_optimal_band", Array( _
        RebalArgument("prices", "tblPrices", True, prices), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("cost_bps", "", False, cost_bps), _
        RebalArgument("limit", "", False, limit)))
    Exit Function
failed:
    REBAL_OPTIMAL_BAND = RebalFailure(Err.Description)
End Function

Public Function REBAL_POLICY( _
        Optional text As Variant) As Variant
    ' A policy in words.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_POLICY = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_policy", Array( _
        RebalArgument("text", "", True, text)))
    Exit Function
failed:
    REBAL_POLICY = RebalFailure(Err.Description)
End Function

Public Function REBAL_ASSETCLASS( _
        Optional symbol As Variant, _
        Optional map As Variant) As Variant
    ' The asset class of a ticker.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_ASSETCLASS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_assetclass", Array( _
        RebalArgument("symbol", "", True, symbol), _
        RebalArgument("map", "tblClasses", False, map)))
    Exit Function
failed:
    REBAL_ASSETCLASS = RebalFailure(Err.Description)
End Function

Public Function REBAL_VERSION() As Variant
    ' The version of xl_rebal.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_VERSION = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_version", Array())
    Exit Function
failed:
    REBAL_VERSION = RebalFailure(Err.Description)
End Function

Public Function REBAL_GAINS( _
        Optional lots As Variant, _
        Optional prices As Variant, _
        Optional as_of As Variant, _
        Optional accounts As Variant) As Variant
    ' The unrealised gain of every lot.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_GAINS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_gains", Array( _
        RebalArgument("lots", "tblLots", True, lots), _
        RebalArgument("prices", "tblSecurities", True, prices), _
        RebalArgument("as_of", "", False, as_of), _
        RebalArgument("accounts", "tblAccounts", False, accounts)))
    Exit Function
failed:
    REBAL_GAINS = RebalFailure(Err.Description)
End Function

Public Function REBAL_SELL_LOTS( _
        Optional lots As Variant, _
        Optional symbol As Variant, _
        Optional quantity As Variant, _
        Optional method As Variant, _
        Optional price As Variant, _
        Optional as_of As Variant) As Variant
    ' Which lots a sale takes.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_SELL_LOTS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_sell_lots", Array( _
        RebalArgument("lots", "tblLots", True, lots), _
        RebalArgument("symbol", "", True, symbol), _
        RebalArgument("quantity", "", True, quantity), _
        RebalArgument("method", "", False, method), _
        RebalArgument("price", "", False, price), _
        RebalArgument("as_of", "", False, as_of)))
    Exit Function
failed:
    REBAL_SELL_LOTS = RebalFailure(Err.Description)
End Function

Public Function REBAL_HARVEST( _
        Optional lots As Variant, _
        Optional prices As Variant, _
        Optional history As Variant, _
        Optional as_of As Variant, _
        Optional minimum As Variant, _
        Optional accounts As Variant, _
        Optional profile As Variant) As Variant
    ' Losses worth taking, and what must wait.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_HARVEST = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_harvest", Array( _
        RebalArgument("lots", "tblLots", True, lots), _
        RebalArgument("prices", "tblSecurities", True, prices), _
        RebalArgument("history", "tblHistory", False, history), _
        RebalArgument("as_of", "", False, as_of), _
        RebalArgument("minimum", "", False, minimum), _
        RebalArgument("accounts", "tblAccounts", False, accounts), _
        RebalArgument("profile", "tblTaxProfile", False, profile)))
    Exit Function
failed:
    REBAL_HARVEST = RebalFailure(Err.Description)
End Function

Public Function REBAL_WASHSALES( _
        Optional history As Variant, _
        Optional accounts As Variant, _
        Optional securities As Variant) As Variant
    ' Losses that wash sales disallow.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_WASHSALES = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_washsales", Array( _
        RebalArgument("history", "tblHistory", True, history), _
        RebalArgument("accounts", "tblAccounts", False, accounts), _
        RebalArgument("securities", "tblSecurities", False, securities)))
    Exit Function
failed:
    REBAL_WASHSALES = RebalFailure(Err.Description)
End Function

Public Function REBAL_TAX( _
        Optional gains As Variant, _
        Optional profile As Variant) As Variant
    ' The tax that gains cost.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_TAX = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_tax", Array( _
        RebalArgument("gains", "tblGains", True, gains), _
        RebalArgument("profile", "tblTaxProfile", True, profile)))
    Exit Function
failed:
    REBAL_TAX = RebalFailure(Err.Description)
End Function

Public Function REBAL_HOUSEHOLD( _
        Optional accounts As Variant, _
        Optional lots As Variant, _
        Optional securities As Variant, _
        Optional targets As Variant, _
        Optional policy As Variant, _
        Optional profile As Variant, _
        Optional as_of As Variant, _
        Optional history As Variant, _
        Optional restrictions As Variant, _
        Optional settings As Variant, _
        Optional output As Variant) As Variant
    ' The trades of a household, lot by lot, at least tax.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_HOUSEHOLD = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_household", Array( _
        RebalArgument("accounts", "tblAccounts", True, accounts), _
        RebalArgument("lots", "tblLots", True, lots), _
        RebalArgument("securities", "tblSecurities", True, securities), _
        RebalArgument("targets", "tblTargets", True, targets), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("profile", "tblTaxProfile", False, profile), _
        RebalArgument("as_of", "", False, as_of), _
        RebalArgument("history", "tblHistory", False, history), _
        RebalArgument("restrictions", "tblRestrictions", False, restrictions), _
        RebalArgument("settings", "tblPlanSettings", False, settings), _
        RebalArgument("output", "", False, output)))
    Exit Function
failed:
    REBAL_HOUSEHOLD = RebalFailure(Err.Description)
End Function

Public Function REBAL_BOOK( _
        Optional accounts As Variant, _
        Optional holdings As Variant, _
        Optional models As Variant, _
        Optional policy As Variant, _
        Optional securities As Variant, _
        Optional restrictions As Variant, _
        Optional flows As Variant, _
        Optional as_of As Variant, _
        Optional mode As Variant, _
        Optional output As Variant) As Variant
    ' Which accounts or clients of a book ask for a plan.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_BOOK = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_book", Array( _
        RebalArgument("accounts", "tblAccounts", True, accounts), _
        RebalArgument("holdings", "tblHoldings", True, holdings), _
        RebalArgument("models", "tblModels", True, models), _
        RebalArgument("policy", "tblPolicy", False, policy), _
        RebalArgument("securities", "tblSecurities", False, securities), _
        RebalArgument("restrictions", "tblRestrictions", False, restrictions), _
        RebalArgument("flows", "tblFlows", False, flows), _
        RebalArgument("as_of", "", False, as_of), _
        RebalArgument("mode", "", False, mode), _
        RebalArgument("output", "", False, output)))
    Exit Function
failed:
    REBAL_BOOK = RebalFailure(Err.Description)
End Function

Public Function REBAL_BLOCKS( _
        Optional trades As Variant) As Variant
    ' The blocks that trades of many accounts make.
    If RebalInWizard() Then Exit Function
    On Error GoTo failed
    REBAL_BLOCKS = RebalHost.Python.CallUDF("xl_rebal.excel.hosts.desktop", "rebal_blocks", Array( _
        RebalArgument("trades", "tblTrades", True, trades)))
    Exit Function
failed:
    REBAL_BLOCKS = RebalFailure(Err.Description)
End Function
