"""Task types: what is shown, what is asked, what counts as an answer and how it is scored. Pure; one module each."""
