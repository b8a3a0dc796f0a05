"""Pages for admins: launch a study, seat raters, and lead it from draft to unblinding."""
