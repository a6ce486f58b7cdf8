Attribute VB_Name = "RebalHelp"
' Made from xl_rebal/excel/registry.py by xl_rebal.excel.generate; changes here are lost.
'
' Help in Excel's function wizard. The add-in calls RebalDescribeFunctions once a workbook is open.
Option Explicit

Public Sub RebalDescribeFunctions()
    RebalDescribe "REBAL_WEIGHTS", "The weight of every holding in its account. One row per holding: its class (your own, else that of the shipped table of well-known funds), its value and its weight in the account. Cash counts, pending activity does not.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.")
    RebalDescribe "REBAL_DRIFT", "Weights against targets, class by class. One row per account and target class: value, weight, target, drift (weight minus target), relative drift, the edges of the band, and the status within, above or below.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.")
    RebalDescribe "REBAL_STATUS", "Whether every class is within its band, in words. In one cell whether a class is outside its band, and which.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.")
    RebalDescribe "REBAL_BANDS", "The edges of every class's band. The band of every target class under a policy: lower and upper edge as weights. With volatilities also the edges that are hit equally often, and those that are equally risky.", Array( _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. Volatilities by class (asset_class, volatility, and optionally a column for each class with correlations), or prices (date and a column for each class). tblVolatilities of the workbook stands in if there is one.")
    RebalDescribe "REBAL_TRADES", "The trades that the policy asks for. Whole-share trades whose cash works out after costs, re-checked by the independent verifier; each with its reason. Without a trade, one row says why.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. Trading costs such as ""half-spread 5bp, commission 0""; trading is free when left out. tblCosts of the workbook stands in if there is one.", _
        "Optional. Contribution (+) or withdrawal (-) in money, for a single account.", _
        "Optional. A table with scope, rule and symbol or tag: never_buy, never_sell, never_hold, substitute. tblRestrictions of the workbook stands in if there is one.")
    RebalDescribe "REBAL_CASHFLOW", "What new money buys, or what a withdrawal sells. What a contribution buys, the most underweight class first, or what a withdrawal sells, the most overweight first.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Contribution (+) or withdrawal (-) in money.", _
        "Optional. buy-only (or raise-cash for a withdrawal) by default; hybrid rebalances as well if a band of 5pp is still broken.")
    RebalDescribe "REBAL_COST", "What a list of trades costs. The cost of a list of trades: commission and half the spread of each, to the cent.", Array( _
        "Trades with their headers: symbol, quantity, price. tblTrades of the workbook stands in when left out.", _
        "Optional. Trading costs such as ""half-spread 5bp, commission 0""; trading is free when left out. tblCosts of the workbook stands in if there is one.")
    RebalDescribe "REBAL_NETBENEFIT", "What the trades that the policy asks for are worth after their costs. 0.5 x risk aversion x (variance of the drift before - after) x value over one year, less the costs of the plan; the last column is the formula with its numbers.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. Trading costs such as ""half-spread 5bp, commission 0""; trading is free when left out. tblCosts of the workbook stands in if there is one.", _
        "Optional. Risk aversion of the investor, 4 when left out; a choice, not a measurement.", _
        "Optional. Prices (date and a column for each class) or volatilities (asset_class, volatility, a column for each class with correlations). tblPrices of the workbook stands in if there is one.")
    RebalDescribe "REBAL_SHOCK", "What given returns make of weights. Weights after each class returned what is given, and how far each drifted from where it stood.", Array( _
        "Weights by class: ""60% stocks, 40% bonds"" or a table with asset_class and weight.", _
        "Returns by class: ""stocks -34%, bonds 0%"" or a table with asset_class and return; 0% for what is not named.")
    RebalDescribe "REBAL_EDGES", "The market move that reaches each edge of a band. For each class the return of it alone, all others flat, that takes its weight to the lower and to the upper edge of its band; blank where no move does.", Array( _
        "The holdings with their headers: symbol, quantity, price; optionally account, asset_class, kind. tblHoldings of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.")
    RebalDescribe "REBAL_BACKTEST", "A policy on past prices. What a policy would have traded, cost and come to on past prices. Targets name price columns; the first row buys them with 1,000,000 and is not counted.", Array( _
        "Prices with their headers: Date and a column for each symbol; or date, symbol and price. tblPrices of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. Cost of a trade in basis points of its value, as in 5; trading is free when left out.", _
        "Optional. ""summary"" by default; ""events"" for the rebalancings; ""path"" for value by day; ""chart"" for growth, drawdown and drift by day.")
    RebalDescribe "REBAL_COMPARE", "Policies side by side. One row per policy on the same prices. Differences to the first policy come with standard errors (stationary block bootstrap) and a plain word: a difference within 1.96 of them is a statistical tie.", Array( _
        "Prices with their headers: Date and a column for each symbol; or date, symbol and price. tblPrices of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Policies in a row or column, or one text with semicolons: ""never; annual; 3pp; 5/25"".", _
        "Optional. Cost of a trade in basis points of its value, as in 5; trading is free when left out.")
    RebalDescribe "REBAL_OPTIMAL_BAND", "The best band on past prices, and all that were tried. Absolute bands from 0.5 to 20 pp on the same prices, the best first: the cheapest within the limit, or without one the least cost + 5 x tracking error squared.", Array( _
        "Prices with their headers: Date and a column for each symbol; or date, symbol and price. tblPrices of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. Cost of a trade in basis points of its value, as in 5; trading is free when left out.", _
        "Optional. Largest tracking error a year, as in ""0.5%"", or ""drift 6pp""; without it cost is weighed against tracking error.")
    RebalDescribe "REBAL_POLICY", "A policy in words. How a policy text is understood, as one sentence; an error where it is not.", Array( _
        "A policy such as ""annual and 5pp to halfway"".")
    RebalDescribe "REBAL_ASSETCLASS", "The asset class of a ticker. The asset class of each ticker: from your map, else from the shipped table of well-known funds; an unknown ticker is an error, never a guess.", Array( _
        "A ticker, or a row or column of them.", _
        "Optional. Your own classes: a table with symbol and asset_class. It comes before the shipped table. tblClasses of the workbook stands in if there is one.")
    RebalDescribe "REBAL_VERSION", "The version of xl_rebal. The version of xl_rebal that computes; the add-in and the workbook should match it.", Array()
    RebalDescribe "REBAL_GAINS", "The unrealised gain of every lot. One row per lot: its value, its gain (negative for a loss), short or long on the day, and the days until it is long-term: held more than one year, counted from the day after acquisition.", Array( _
        "Open lots with their headers: symbol, acquired, quantity, unit_cost; optionally account, lot_id. tblLots of the workbook stands in when left out.", _
        "Prices with their headers: symbol, price; for harvests also asset_class, substitute, identical_group. tblSecurities of the workbook stands in when left out.", _
        "Optional. The day of the sale, such as TODAY(); terms and days to long-term depend on it.", _
        "Optional. The accounts with their headers: account, type (taxable, traditional, roth, hsa); optionally owner, tax_return, tax_profile. Without them all accounts are taxable and on one tax return. tblAccounts of the workbook stands in if there is one.")
    RebalDescribe "REBAL_SELL_LOTS", "Which lots a sale takes. The lots that a sale takes, each with its gain and term. lowest_tax sells first what costs least at 37% for short-term and 20% for long-term gains; it needs price and as_of.", Array( _
        "Open lots with their headers: symbol, acquired, quantity, unit_cost; optionally account, lot_id. tblLots of the workbook stands in when left out.", _
        "The security to sell.", _
        "Units to sell.", _
        "Optional. fifo (default), lifo, hifo, lowest_tax, average (funds), or ""specific: A1 100, B7 50"" by lot_id.", _
        "Optional. Price of the sale; gains are blank without it.", _
        "Optional. The day of the sale, such as TODAY(); terms and days to long-term depend on it.")
    RebalDescribe "REBAL_HARVEST", "Losses worth taking, and what must wait. Every lot at a loss with its verdict: harvest (with the substitute that is bought instead), small, wait (a purchase within 30 days would wash the loss; from when it is safe) or keep.", Array( _
        "Open lots with their headers: symbol, acquired, quantity, unit_cost; optionally account, lot_id. tblLots of the workbook stands in when left out.", _
        "Prices with their headers: symbol, price; for harvests also asset_class, substitute, identical_group. tblSecurities of the workbook stands in when left out.", _
        "Optional. Trades of the last 30 days in all accounts: symbol, date, action, quantity, price. tblHistory of the workbook stands in if there is one.", _
        "Optional. The day of the sale, such as TODAY(); without it nothing can be judged.", _
        "Optional. Smallest loss of a lot worth taking: money, a share of its cost (""5%""), or both (""500, 5%"").", _
        "Optional. The accounts with their headers: account, type (taxable, traditional, roth, hsa); optionally owner, tax_return, tax_profile. Without them all accounts are taxable and on one tax return. tblAccounts of the workbook stands in if there is one.", _
        "Optional. One row of tax_profiles: tax_profile, year, filing_status, magi (without gains), state, or ordinary, long_term and niit as rates. tblTaxProfile of the workbook stands in if there is one.")
    RebalDescribe "REBAL_WASHSALES", "Losses that wash sales disallow. One row per sale and term: its gain before disallowance, the loss that purchases within 30 days before or after it disallow, and what is allowed.", Array( _
        "All trades with their headers: symbol, date, action, quantity, price; optionally account. tblHistory of the workbook stands in when left out.", _
        "Optional. The accounts with their headers: account, type (taxable, traditional, roth, hsa); optionally owner, tax_return, tax_profile. Without them all accounts are taxable and on one tax return. tblAccounts of the workbook stands in if there is one.", _
        "Optional. Securities with their headers: symbol, identical_group, tax_class; without them only the same symbol is identical. tblSecurities of the workbook stands in if there is one.")
    RebalDescribe "REBAL_TAX", "The tax that gains cost. What the gains add to the year's tax, after netting with carry-forwards and gains to date: federal income tax, net investment income tax, state tax; then the losses deducted and carried on, and the rates of the next dollar.", Array( _
        "Gains with their headers: term (short, long, collectible, section_1256, ordinary) and gain; allowed, where it is there, stands for gain. tblGains of the workbook stands in when left out.", _
        "One row of tax_profiles: tax_profile, year, filing_status, magi (without gains), state, or ordinary, long_term and niit as rates. tblTaxProfile of the workbook stands in when left out.")
    RebalDescribe "REBAL_HOUSEHOLD", "The trades of a household, lot by lot, at least tax.", Array( _
        "The accounts with their headers: account, type (taxable, traditional, roth, hsa); optionally household, owner, relationship, tax_return, tax_profile, cash_reserve, held_away, menu. tblAccounts of the workbook stands in when left out.", _
        "What is held: account, symbol, quantity; for taxable accounts acquired and unit_cost of each lot; cash as symbol CASH. tblLots of the workbook stands in when left out.", _
        "Securities with their headers: symbol, price, asset_class; optionally tax_class, identical_group, quantity_step, tradable. tblSecurities of the workbook stands in when left out.", _
        "Target weights: a table with asset_class and target, or a text such as ""60% stocks, 40% bonds"". tblTargets of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. The tax_profiles table: tax_profile, year, filing_status and magi, or ordinary, long_term and niit as rates; needed for taxable accounts. tblTaxProfile of the workbook stands in if there is one.", _
        "Optional. The day of the trades, such as TODAY(); terms and wash sales depend on it.", _
        "Optional. Trades of the last 30 days in all accounts, the household's other ones too: account, symbol, date, action, quantity, price. tblHistory of the workbook stands in if there is one.", _
        "Optional. A table with scope, rule and symbol or tag: never_buy, never_sell, never_hold, substitute. tblRestrictions of the workbook stands in if there is one.", _
        "Optional. A table of setting and value: costs, losses to take, most net gain, cash to raise, smallest trade, most turnover, mode (fast, best). tblPlanSettings of the workbook stands in if there is one.", _
        "Optional. trades (default), figures, ways (naive, account by account, highest cost first, ours), classes or notes.")
    RebalDescribe "REBAL_BOOK", "Which accounts or clients of a book ask for a plan.", Array( _
        "The accounts with their headers: account; optionally household, model, cash_reserve, held_away, last_rebalanced, policy, plan_mode, client. tblAccounts of the workbook stands in when left out.", _
        "The holdings of all accounts with their headers: account, symbol, quantity, price; optionally asset_class. tblHoldings of the workbook stands in when left out.", _
        "Target weights by model: model, asset_class, target; a text such as ""60% stocks, 40% bonds"" is one model for all. tblModels of the workbook stands in when left out.", _
        "Optional. When to act: ""5pp"", ""20%rel"", ""5/25"", ""quarterly or 5pp""; 5pp when left out. tblPolicy of the workbook stands in if there is one.", _
        "Optional. Securities with their headers: symbol, asset_class; optionally tags, tradable. Without them classes come from the holdings and the shipped table. tblSecurities of the workbook stands in if there is one.", _
        "Optional. A table with scope, rule and symbol or tag: never_buy, never_sell, never_hold, substitute. tblRestrictions of the workbook stands in if there is one.", _
        "Optional. Money that is known to leave or come: account, date, amount; withdrawals of the next 30 days are kept back. tblFlows of the workbook stands in if there is one.", _
        "Optional. The day of the book, for calendar rules and known withdrawals; without it calendar rules count as due.", _
        "Optional. How clients are planned that do not say it: rules (default), pro_rata, household_tax (their accounts as one portfolio).", _
        "Optional. accounts (default), or clients: the accounts of a household together.")
    RebalDescribe "REBAL_BLOCKS", "The blocks that trades of many accounts make. One row per security and side (and custodian and kind of order, where they differ) with the sum of the trades: sells first, as wave 1, then the buys that they pay for. Buys and sells are never netted.", Array( _
        "Trades of any number of accounts with their headers: account, symbol, action, quantity, price; optionally custodian, order_type, limit_price, time_in_force. tblTrades of the workbook stands in when left out.")
End Sub

' Help is a courtesy: where Excel refuses it, the function works without.
Private Sub RebalDescribe(ByVal functionName As String, ByVal about As String, ByVal helps As Variant)
    Dim macro As String
    macro = "'" & ThisWorkbook.Name & "'!" & functionName
    On Error Resume Next
    If UBound(helps) < 0 Then
        Application.MacroOptions Macro:=macro, Description:=about, Category:="xl_rebal"
    Else
        Application.MacroOptions Macro:=macro, Description:=about, Category:="xl_rebal", _
            ArgumentDescriptions:=helps
    End If
End Sub
