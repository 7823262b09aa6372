"""Where a task will work, concluded from its text, the files of the repository and their history."""
