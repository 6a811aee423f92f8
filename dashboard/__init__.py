"""Pages, figures and the browser modules that keep them live."""
