def client_file_name(household, name):
    return f"{household}.xlsx"
