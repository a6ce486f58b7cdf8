"""Many households at once: their book, what needs a plan, and the run that makes the plans."""
