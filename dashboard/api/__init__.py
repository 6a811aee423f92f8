"""The query API: what was produced, by whom, how far to trust it; every answer says where in the log it stands."""
