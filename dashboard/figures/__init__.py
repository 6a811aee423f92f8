"""Figures as pure functions of frames, and what the browser must know to go on with them."""
