"""From a source to committed records: parse, verify, store, publish."""
