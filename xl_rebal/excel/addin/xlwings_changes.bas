' Procedures that stand in for those of the same name in xlwings' code. The build puts them there; see
' xlwings_code.py. Derived from xlwings (BSD 3-clause, its notice stands at the head of the module).

Sub RunPython(PythonCommand As String)
    ' Windows does not come here: macros run in the process that serves the functions, see RebalHost.
    #If Mac Then
        ExecuteMac PythonCommand, GetConfig("INTERPRETER_MAC", "")
    #End If
End Sub

Sub ExecuteMac(PythonCommand As String, PYTHON_MAC As String)
    #If Mac Then
    Dim PYTHONPATH As String, Log As String
    Dim ParameterString As String, ExitCode As String, LOG_FILE As String

    If Not RebalIsWholePath(PYTHON_MAC, True) Then
        Err.Raise 1, Description:="xl_rebal does not know which Python to use; run xl-rebal install excel, or write its whole path for INTERPRETER_MAC into " + GetConfigFilePath()
    End If
    ' The name stands between double quotes in a command of the shell, in a field that "|" ends
    If Not RebalSafeInShell(ActiveWorkbook.Name) Then
        Err.Raise 1, Description:="the name of this workbook holds one of "" $ ` \ | =, which must not reach the shell; rename the file"
    End If

    ' prepare_sys_path takes what follows the sixth ";" for the path, and nothing for the current folder
    PYTHONPATH = Replace(GetConfig("PYTHONPATH"), "'", "\'") ' Escaping quotes
    If PYTHONPATH <> "" Then PYTHONPATH = ";" & PYTHONPATH

    ' Sandbox location that requires no file access confirmation
    LOG_FILE = Environ("HOME") + "/xlwings.log" '/Users/<User>/Library/Containers/com.microsoft.Excel/Data/xlwings.log

    ' Delete Log file just to make sure we don't show an old error
    On Error Resume Next
        Kill LOG_FILE
    On Error GoTo 0

    ' ParameterSting with all paramters (AppleScriptTask only accepts a single parameter)
    ParameterString = "false;;;;;" & PYTHONPATH
    ParameterString = ParameterString + "|'" + Replace(PYTHON_MAC, "'", "'\''") + "' -P"
    ParameterString = ParameterString + "|" + PythonCommand
    ParameterString = ParameterString + "|" + ActiveWorkbook.Name
    ParameterString = ParameterString + "|" + Left(Application.Path, Len(Application.Path) - 4)
    ParameterString = ParameterString + "|" + LOG_FILE

    Application.StatusBar = "Running..."  ' Non-blocking way of giving feedback that something is happening
    On Error GoTo AppleScriptErrorHandler
        ExitCode = AppleScriptTask("xlwings-" & XLWINGS_VERSION & ".applescript", "VbaHandler", ParameterString)
    On Error GoTo 0

    ' If there's a log at this point (normally that will be from the shell only, not Python) show it and reset the StatusBar
    On Error Resume Next
        Log = ReadFile(LOG_FILE)
        If Log = "" Then
            Exit Sub
        Else
            ShowError LOG_FILE
            Application.StatusBar = False
        End If
        Exit Sub
    On Error GoTo 0

AppleScriptErrorHandler:
    Application.StatusBar = False
    MsgBox "To enable the buttons, please run 'xlwings runpython install' in a terminal once and try again.", vbCritical
    #End If
End Sub

Private Sub XLPyLoadDLL()
    Dim PYTHON_WIN As String

    PYTHON_WIN = GetConfig("INTERPRETER_WIN", "")
    If Not RebalIsWholePath(PYTHON_WIN, False) Then
        Err.Raise 1, Description:="xl_rebal does not know which Python to use; run xl-rebal install excel, or write the whole path of python.exe for INTERPRETER_WIN into " + GetConfigFilePath() + ", then restart Excel"
    End If
    If LoadLibrary(ParentFolder(PYTHON_WIN) + "\" + XLPyDLLName) = 0 Then  ' Standard installation
        If LoadLibrary(ParentFolder(ParentFolder(PYTHON_WIN)) + "\" + XLPyDLLName) = 0 Then  ' Virtualenv
            Err.Raise 1, Description:= _
                "could not load " + XLPyDLLName + " from " + ParentFolder(PYTHON_WIN) _
                + " or the folder above it; install xlwings " + XLWINGS_VERSION + " there (pip install xlwings==" + XLWINGS_VERSION + "), then restart Excel"
        End If
    End If
End Sub

Function XLPyCommand()
    Dim PYTHON_WIN As String, PYTHONPATH As String, tail As String
    Dim CondaCmd As String, CondaPath As String, CondaEnv As String, ConsoleSwitch As String

    PYTHON_WIN = GetConfig("INTERPRETER_WIN", "")
    PYTHONPATH = GetConfig("PYTHONPATH")

    ' Escaping backslashes and quotes
    PYTHONPATH = Replace(PYTHONPATH, "\", "\\")
    PYTHONPATH = Replace(PYTHONPATH, "'", "\'")
    PYTHONPATH = Replace(PYTHONPATH, "&", "^&")
    ' prepare_sys_path takes what follows the sixth ";" for the path, and nothing for the current folder
    If PYTHONPATH <> "" Then PYTHONPATH = ";" & PYTHONPATH

    ' /showconsole is a fictitious command line switch that's ignored by cmd.exe but used by CreateProcessA in the dll
    ' It's the only setting that's sent over like this at the moment
    If LCase$(GetConfig("SHOW CONSOLE", "False")) = "true" Then
        ConsoleSwitch = "/showconsole"
    Else
        ConsoleSwitch = ""
    End If

    CondaPath = GetConfig("CONDA PATH")
    CondaEnv = GetConfig("CONDA ENV")

    If RebalIsWholePath(CondaPath, False) And CondaEnv <> "" Then
        CondaCmd = Chr(34) & CondaPath & "\condabin\conda.bat" & Chr(34) & " activate " & CondaEnv & " && "
    End If
    ' Whole paths only: a bare name would be looked for in the current folder, which may be the workbook's
    PYTHON_WIN = Environ("SystemRoot") & "\System32\cmd.exe " & ConsoleSwitch & " /K " & Chr(34) & CondaCmd & Chr(34) & PYTHON_WIN & Chr(34)

    ' Spaces in path of python.exe require quote around path AND quotes around whole command, see:
    ' https://stackoverflow.com/questions/6376113/how-do-i-use-spaces-in-the-command-prompt
    ' -P: the current folder does not go on the path
    tail = " -B -P -c ""import sys, os;os.chdir(sys.prefix);import xlwings.utils;xlwings.utils.prepare_sys_path(\""false;;;;;" & PYTHONPATH & "\"");import xlwings; xlwings.serve('$(CLSID)')"""
    XLPyCommand = PYTHON_WIN & tail & Chr(34)
End Function

Function XLPy()
    ' The settings are read once: not the user's file again for every cell.
    Static started As String
    If started = "" Then
        XLPyLoadDLL
        started = XLPyCommand
    End If
    If 0 <> XLPyDLLActivateAuto(XLPy, started, 1) Then Err.Raise 1000, Description:=XLPy
End Function

Function GetConfig(configKey As String, Optional default As String = "") As Variant
    ' The add-in's own sheet, then the user's file, then the default; never a workbook, never its folder
    Dim configValue As String

    If SheetExists(ThisWorkbook, PROJECT_NAME & ".conf") = True Then
        If GetConfigFromSheet(ThisWorkbook).Exists(configKey) = True Then
            GetConfig = GetConfigFromSheet(ThisWorkbook).Item(configKey)
            GetConfig = ExpandEnvironmentStrings(GetConfig)
            Exit Function
        End If
    End If

    If FileExists(GetConfigFilePath()) = True Then
        If GetConfigFromFile(GetConfigFilePath(), configKey, configValue) Then
            GetConfig = configValue
            GetConfig = ExpandEnvironmentStrings(GetConfig)
            Exit Function
        End If
    End If

    GetConfig = default
    GetConfig = ExpandEnvironmentStrings(GetConfig)
End Function

Sub ShowError(FileName As String)
    ' Shows a MsgBox with the content of a text file
    MsgBox ReadFile(FileName), vbCritical, "Error"
End Sub

Function ExpandEnvironmentStrings(ByVal s As String)
    ' Expand environment variables
    Dim EnvString As String
    Dim PathParts As Variant
    Dim i As Integer
    #If Mac Then
        If Left(s, 1) = "$" Then
            PathParts = Split(s, "/")
            EnvString = PathParts(0)
            ExpandEnvironmentStrings = GetMacDir(EnvString, True)
            For i = 1 To UBound(PathParts)
                If Right$(ExpandEnvironmentStrings, 1) = "/" Then
                    ExpandEnvironmentStrings = ExpandEnvironmentStrings & PathParts(i)
                Else
                    ExpandEnvironmentStrings = ExpandEnvironmentStrings & "/" & PathParts(i)
                End If
            Next i
        Else
            ExpandEnvironmentStrings = s
        End If
    #Else
        ' By hand: many firms switch Windows Script Host off
        Dim first As Long, last As Long, found As String
        first = InStr(s, "%")
        Do While first > 0
            last = InStr(first + 1, s, "%")
            If last = 0 Then Exit Do
            found = ""
            If last > first + 1 Then found = Environ(Mid$(s, first + 1, last - first - 1))
            If found = "" Then
                first = last
            Else
                s = Left$(s, first - 1) & found & Mid$(s, last + 1)
                first = InStr(first + Len(found), s, "%")
            End If
        Loop
        ExpandEnvironmentStrings = s
    #End If
End Function
