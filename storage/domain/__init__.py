"""Pure meaning: wells, records, units, production days, errors. Imports nobody."""
