"""Puts the parts together: settings, wiring, command line, embedded servers."""
