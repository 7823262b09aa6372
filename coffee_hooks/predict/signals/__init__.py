"""What can point to a file, each in a module of its own: a function that prepares it for the files of one commit."""
