Attribute VB_Name = "RebalText"
' Work on texts alone: nothing here touches Excel, so tests run all of it without Excel.
Option Explicit
Option Private Module

Private Const ADDIN As String = "xl_rebal.xlam"
Private Const FUNCTIONS As String = "REBAL_"

' A text as UTF-16 code units, four hexadecimal digits each: no path can break out of the command.
Public Function RebalHex(ByVal words As String) As String
    Dim i As Long
    For i = 1 To Len(words)
        RebalHex = RebalHex & Right$("000" & Hex$(AscW(Mid$(words, i, 1)) And &HFFFF&), 4)
    Next i
End Function

' The Python that runs a macro; refuses all but plain names and hexadecimal digits.
Public Function RebalPythonCommand(ByVal macro As String, ByVal hexDigits As String) As String
    If macro = "" Or Not RebalMadeOf(macro, "abcdefghijklmnopqrstuvwxyz_") Then
        Err.Raise 1005, , "not the name of a macro: " & macro
    End If
    If Not RebalMadeOf(hexDigits, "0123456789ABCDEF") Then Err.Raise 1005, , "not hexadecimal"
    RebalPythonCommand = "from xl_rebal.excel.hosts import desktop_macros; desktop_macros.run('" & _
        macro & "', '" & hexDigits & "')"
End Function

Public Function RebalMadeOf(ByVal words As String, ByVal letters As String) As Boolean
    Dim i As Long
    For i = 1 To Len(words)
        If InStr(1, letters, Mid$(words, i, 1), vbBinaryCompare) = 0 Then Exit Function
    Next i
    RebalMadeOf = True
End Function

' Whether a name may stand between double quotes in a command of the Mac's shell, in a field of its own.
Public Function RebalSafeInShell(ByVal words As String) As Boolean
    Dim i As Long, code As Long
    For i = 1 To Len(words)
        code = AscW(Mid$(words, i, 1)) And &HFFFF&
        ' " $ ` \ | = and control characters
        If code < 32 Or code = 127 Or InStr(1, """$`\|=", Mid$(words, i, 1), vbBinaryCompare) > 0 Then Exit Function
    Next i
    RebalSafeInShell = True
End Function

' Whether a program is named by its whole path: a bare name would be looked for beside the workbook.
Public Function RebalIsWholePath(ByVal path As String, ByVal onMac As Boolean) As Boolean
    If InStr(1, path, """", vbBinaryCompare) > 0 Then Exit Function
    If onMac Then
        RebalIsWholePath = Left$(path, 1) = "/"
    ElseIf Left$(path, 2) = "\\" Then
        RebalIsWholePath = Len(path) > 2
    Else
        RebalIsWholePath = Mid$(path, 2, 2) = ":\" And _
            RebalMadeOf(LCase$(Left$(path, 1)), "abcdefghijklmnopqrstuvwxyz")
    End If
End Function

' "" when the add-in and Python fit together, else what is wrong and how to mend it.
Public Function RebalVersionFault(ByVal built As String, ByVal found As String, _
        ByVal builtXlwings As String, ByVal foundXlwings As String) As String
    If builtXlwings <> foundXlwings Then
        RebalVersionFault = "xl_rebal.xlam was built for xlwings " & builtXlwings & ", but Python has " & _
            foundXlwings & "; install that version (pip install xlwings==" & builtXlwings & _
            "), or build the add-in again with it (xl-rebal build addin), then restart Excel"
    ElseIf built <> found Then
        RebalVersionFault = "xl_rebal.xlam is of version " & built & ", but Python has xl_rebal " & found & _
            "; run xl-rebal install excel, then restart Excel"
    End If
End Function

' Whether a link of a workbook leads to an add-in of our name, wherever it lies.
Public Function RebalIsOurs(ByVal path As String) As Boolean
    Dim i As Long
    For i = Len(path) To 1 Step -1
        If InStr(1, "\/:", Mid$(path, i, 1), vbBinaryCompare) > 0 Then Exit For
    Next i
    RebalIsOurs = StrComp(Mid$(path, i + 1), ADDIN, vbTextCompare) = 0
End Function

' A formula without the path that another machine left in front of our functions:
' ='C:\Users\x\xl_rebal.xlam'!REBAL_DRIFT(...) becomes =REBAL_DRIFT(...). Texts in it stay as they are.
Public Function RebalWithoutPath(ByVal formula As String) As String
    Dim place As Long, after As Long, sign As String
    place = 1
    Do While place <= Len(formula)
        sign = Mid$(formula, place, 1)
        Select Case sign
        Case """"
            after = RebalAfterQuoted(formula, place)
        Case "'"
            after = RebalAfterQuoted(formula, place)
            If RebalIsOurs(RebalUnquoted(formula, place, after)) And RebalCallFollows(formula, after) Then
                place = after + 1
                after = place
            End If
        Case Else
            after = RebalAfterWord(formula, place)
            If StrComp(Mid$(formula, place, after - place), ADDIN, vbTextCompare) = 0 And _
                    RebalCallFollows(formula, after) Then
                place = after + 1
                after = place
            End If
        End Select
        RebalWithoutPath = RebalWithoutPath & Mid$(formula, place, after - place)
        place = after
    Loop
End Function

' The place behind a quoted part that starts at `place`; a doubled quote belongs to it.
Private Function RebalAfterQuoted(ByVal formula As String, ByVal place As Long) As Long
    Dim sign As String
    sign = Mid$(formula, place, 1)
    RebalAfterQuoted = place + 1
    Do While RebalAfterQuoted <= Len(formula)
        If Mid$(formula, RebalAfterQuoted, 1) <> sign Then
            RebalAfterQuoted = RebalAfterQuoted + 1
        ElseIf Mid$(formula, RebalAfterQuoted + 1, 1) = sign Then
            RebalAfterQuoted = RebalAfterQuoted + 2
        Else
            RebalAfterQuoted = RebalAfterQuoted + 1
            Exit Function
        End If
    Loop
End Function

' What stands between the quotes; "" where the second one is missing.
Private Function RebalUnquoted(ByVal formula As String, ByVal place As Long, ByVal after As Long) As String
    If after - place < 2 Then Exit Function
    RebalUnquoted = Replace(Mid$(formula, place + 1, after - place - 2), "''", "'")
End Function

' The place behind a word, or behind one sign that belongs to none.
Private Function RebalAfterWord(ByVal formula As String, ByVal place As Long) As Long
    Const SIGNS As String = " +-*/^&=<>(),;:{}!@#%""'[]"
    RebalAfterWord = place
    Do While RebalAfterWord <= Len(formula)
        If InStr(1, SIGNS, Mid$(formula, RebalAfterWord, 1), vbBinaryCompare) > 0 Then Exit Do
        RebalAfterWord = RebalAfterWord + 1
    Loop
    If RebalAfterWord = place Then RebalAfterWord = place + 1
End Function

Private Function RebalCallFollows(ByVal formula As String, ByVal place As Long) As Boolean
    RebalCallFollows = StrComp(Mid$(formula, place, 1 + Len(FUNCTIONS)), "!" & FUNCTIONS, vbTextCompare) = 0
End Function
