"""The rules of verification: YAML documents of rules, each of a kind from a closed table."""
