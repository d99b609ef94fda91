"""What the hosts of the grammars share.

texts    the text of a grammar
making   text -> tables, by lark
tables   the tables as plain data, kept in the user's cache folder
machine  tables, text -> values
"""
