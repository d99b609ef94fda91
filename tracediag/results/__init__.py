"""What comes out, as frozen values: findings in their order of rank, the report, tables of counts."""
