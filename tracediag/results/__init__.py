"""The results, as frozen values: ranked findings, the report, tables of counts."""
