"""Pages about networks and their neurons, a module for each group of pages."""
