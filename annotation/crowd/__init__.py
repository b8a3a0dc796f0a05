"""The door for raters from crowd providers: in by a link, out by a code; they rate on the evaluator's pages."""
